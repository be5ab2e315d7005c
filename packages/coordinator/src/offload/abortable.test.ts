import { expect, it, vi } from "vitest";
import { abortable } from "./abortable.js";

it("ends the thread with the signal's reason, even if the signal was aborted before the work", async () => {
  const close = vi.fn(async () => {});
  await abortable(AbortSignal.abort("no"), { close }, async () => {});
  expect(close).toHaveBeenCalledExactlyOnceWith("no");
});

it("does not end the thread once the work is done", async () => {
  const close = vi.fn(async () => {});
  const controller = new AbortController();
  await abortable(controller.signal, { close }, async () => {});
  controller.abort();
  expect(close).not.toHaveBeenCalled();
});
