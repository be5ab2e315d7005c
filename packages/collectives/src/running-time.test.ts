import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { afterRunning } from "./running-time.js";

const expired = vi.fn();
beforeEach(() => {
  vi.useFakeTimers();
  expired.mockClear();
});
afterEach(() => vi.useRealTimers());

it("expires once, after the whole time", () => {
  afterRunning(1000, expired);
  vi.advanceTimersByTime(999);
  expect(expired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5000);
  expect(expired).toHaveBeenCalledTimes(1);
});

it("does not count the time for which the whole process was stopped, as a delayed timer shows", () => {
  afterRunning(1000, expired);
  vi.setSystemTime(Date.now() + 60_000);
  vi.advanceTimersToNextTimer();
  vi.advanceTimersByTime(749);
  expect(expired).not.toHaveBeenCalled();
});

it("does not expire once the wait is ended", () => {
  afterRunning(1000, expired)();
  vi.advanceTimersByTime(5000);
  expect(expired).not.toHaveBeenCalled();
});
