import { getEventListeners } from "node:events";
import { expect, it, vi } from "vitest";
import { onAbort } from "./on-abort.js";

it("notifies all who share a signal, through one listener: Node warns of a leak for more than ten", () => {
  const controller = new AbortController();
  const told = Array.from({ length: 20 }, () => vi.fn());
  for (const listener of told) onAbort(controller.signal, listener);
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
  controller.abort();
  for (const listener of told) expect(listener).toHaveBeenCalledOnce();
});

it("leaves no listener on a signal that lives longer", () => {
  const controller = new AbortController();
  const told = vi.fn();
  const undo = [told, () => {}].map((listener) => onAbort(controller.signal, listener));
  for (const one of undo) one();
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  controller.abort();
  expect(told).not.toHaveBeenCalled();
});

it("notifies at once of an aborted signal, whose event will not come", () => {
  const signal = AbortSignal.abort();
  const told = vi.fn();
  const undo = onAbort(signal, told);
  expect(told).toHaveBeenCalledOnce();
  expect(getEventListeners(signal, "abort")).toEqual([]);
  undo();
});

it("never notifies without a signal", () => {
  const told = vi.fn();
  onAbort(undefined, told)();
  expect(told).not.toHaveBeenCalled();
});
