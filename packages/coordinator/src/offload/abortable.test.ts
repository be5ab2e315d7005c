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

it("settles when the thread has ended, not as soon as its calls have", async () => {
  const controller = new AbortController();
  let end = (): void => {};
  let failCall: (reason: unknown) => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const called = new Promise<void>((_, reject) => {
    failCall = reject;
  });
  const close = async (reason: unknown): Promise<void> => {
    failCall(reason);
    await ended;
  };
  const settled = vi.fn();
  const running = abortable(controller.signal, { close }, () => called).finally(settled);
  controller.abort("no");
  await expect(called).rejects.toBe("no");
  await new Promise(setImmediate);
  expect(settled).not.toHaveBeenCalled();
  end();
  await expect(running).rejects.toBe("no");
});
