import { getEventListeners } from "node:events";
import { expect, it, vi } from "vitest";
import { onAbort } from "./on-abort.js";

it("tells all who share a signal, through one listener: of more than ten, Node warns as of a leak", () => {
  const controller = new AbortController();
  const told = Array.from({ length: 20 }, () => vi.fn());
  for (const listener of told) onAbort(controller.signal, listener);
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
  controller.abort();
  for (const listener of told) expect(listener).toHaveBeenCalledOnce();
});

it("leaves nothing on a signal that outlives what was to be told", () => {
  const controller = new AbortController();
  const told = vi.fn();
  const undo = [told, () => {}].map((listener) => onAbort(controller.signal, listener));
  for (const one of undo) one();
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  controller.abort();
  expect(told).not.toHaveBeenCalled();
});

it("has nothing to tell of a signal that is aborted already, or of none", () => {
  const told = vi.fn();
  for (const signal of [AbortSignal.abort(), undefined]) onAbort(signal, told)();
  expect(told).not.toHaveBeenCalled();
});
