import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { watchForSilence } from "./watchdog.js";

const rank = (count: number, isWaiting = false) => ({ count, isWaiting });
let activity = [rank(0), rank(0)];
const working = new Set([0, 1]);
const silent: number[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  activity = [rank(0), rank(0)];
  working.add(0).add(1);
  silent.length = 0;
});
afterEach(() => vi.useRealTimers());

function watch(timeoutMs: number): () => void {
  return watchForSilence(
    timeoutMs,
    () => activity,
    (one) => working.has(one),
    (one) => silent.push(one),
  );
}

it("reports once which rank did nothing for the whole time", () => {
  watch(1000);
  activity = [rank(1), rank(0)];
  vi.advanceTimersByTime(5000);
  expect(silent).toEqual([1]);
});

it("does not mistake slow progress for silence", () => {
  watch(1000);
  for (let step = 1; step < 10; step++) {
    activity = [rank(step), rank(step)];
    vi.advanceTimersByTime(999);
  }
  expect(silent).toEqual([]);
});

it("does not count the time for which the whole process was stopped, as a delayed timer shows", () => {
  watch(1000);
  vi.setSystemTime(Date.now() + 5000);
  vi.advanceTimersToNextTimer();
  activity = [rank(1), rank(1)];
  vi.advanceTimersByTime(999);
  expect(silent).toEqual([]);
});

it("blames the working rank, not the one that waits for it", () => {
  watch(1000);
  activity = [rank(0, true), rank(0)];
  vi.advanceTimersByTime(1000);
  expect(silent).toEqual([1]);
});

it("does not expect progress from a rank that has answered", () => {
  watch(1000);
  working.clear();
  vi.advanceTimersByTime(5000);
  expect(silent).toEqual([]);
});

it.each([1000, Number.POSITIVE_INFINITY])(
  "reports nothing once it is ended, or if there is no limit: %d",
  (timeoutMs) => {
    watch(timeoutMs)();
    vi.advanceTimersByTime(1e9);
    expect(silent).toEqual([]);
  },
);
