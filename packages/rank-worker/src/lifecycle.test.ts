import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { Lifecycle, NativeGate } from "./lifecycle.js";

test("a rank can enter and leave until it is stopped", async () => {
  const lifecycle = new Lifecycle(2);
  const gate = new NativeGate(lifecycle.buffer, 1);
  expect(await gate.inside(() => "done")).toBe("done");
  expect(lifecycle.waitUntilOutside(0)).toBe(true);
});

test("waiting ends without success while a rank is inside", () => {
  const lifecycle = new Lifecycle(2);
  const gate = new NativeGate(lifecycle.buffer, 1);
  gate.enter();
  lifecycle.stop();
  expect(lifecycle.waitUntilOutside(10)).toBe(false);
  gate.leave();
  expect(lifecycle.waitUntilOutside(0)).toBe(true);
});

test("a rank that leaves wakes a waiting process", () => {
  const notify = vi.spyOn(Atomics, "notify");
  onTestFinished(() => notify.mockRestore());
  const lifecycle = new Lifecycle(1);
  const gate = new NativeGate(lifecycle.buffer, 0);
  gate.enter();
  lifecycle.stop();
  gate.leave();
  expect(notify).toHaveBeenCalledWith(new Int32Array(lifecycle.buffer), 1);
});

test("after a stop, a rank cannot enter, and counts as outside", () => {
  const lifecycle = new Lifecycle(1);
  const gate = new NativeGate(lifecycle.buffer, 0);
  lifecycle.stop();
  expect(() => gate.enter()).toThrow(expect.objectContaining({ code: "RR_CLOSED" }));
  expect(gate.stopped).toBe(true);
  expect(lifecycle.waitUntilOutside(0)).toBe(true);
});

test("a rank is inside until an asynchronous call has ended", async () => {
  const lifecycle = new Lifecycle(1);
  const gate = new NativeGate(lifecycle.buffer, 0);
  let end = (): void => {};
  const called = gate.inside(() => new Promise<void>((resolve) => (end = resolve)));
  await setImmediate();
  expect(lifecycle.waitUntilOutside(0)).toBe(false);
  end();
  await called;
  expect(lifecycle.waitUntilOutside(0)).toBe(true);
});

test("a failed call leaves the rank outside", async () => {
  const lifecycle = new Lifecycle(1);
  const gate = new NativeGate(lifecycle.buffer, 0);
  await expect(gate.inside(() => Promise.reject(new Error("native")))).rejects.toThrow("native");
  expect(lifecycle.waitUntilOutside(0)).toBe(true);
});
