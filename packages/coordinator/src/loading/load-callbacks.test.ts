import { expect, test, vi } from "vitest";
import { LoadCallbacks } from "./load-callbacks.js";

test.each([
  [
    "throws",
    () => {
      throw new Error("the bar broke");
    },
  ],
  ["rejects with", () => Promise.reject(new Error("the bar broke"))],
])("a load hears of an error that a callback %s", async (_, callback) => {
  const onError = vi.fn();
  new LoadCallbacks(onError).of<number>(callback)!(1);
  await vi.waitUntil(() => onError.mock.calls.length > 0);
  expect(onError).toHaveBeenCalledExactlyOnceWith(new Error("the bar broke"));
});

test("no callback is called after the end, although reports of ranks may still come", () => {
  const callback = vi.fn();
  const callbacks = new LoadCallbacks(() => {});
  const report = callbacks.of<number>(callback)!;
  report(1);
  callbacks.end();
  report(2);
  expect(callback.mock.calls).toEqual([[1]]);
});

test("a callback that the caller does not give is none", () => {
  expect(new LoadCallbacks(() => {}).of(undefined)).toBeUndefined();
});
