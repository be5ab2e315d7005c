import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { figures, Stopwatch, turnFigures } from "./figures.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => vi.useRealTimers());

const result = {
  usage: { promptTokens: 3, cachedTokens: 0, completionTokens: 5 },
  finishReason: "length",
} as const;

test("times the first token from the call, and the rate from the first token", () => {
  const stopwatch = new Stopwatch();
  vi.advanceTimersByTime(200);
  stopwatch.token();
  for (let i = 0; i < 4; i++) {
    vi.advanceTimersByTime(10);
    stopwatch.token();
  }
  expect(stopwatch.timeToFirstToken).toBe(200);
  expect(stopwatch.tokensPerSecond).toBe(100);
  expect(figures(stopwatch, result, [1000, 2000])).toBe(
    [
      "tokens                 5 after a prompt of 3 (end: length)",
      "time to first token    200.0 ms",
      "tokens per second      100.0",
      "bytes each rank holds  rank 0 1.00 kB, rank 1 2.00 kB",
    ].join("\n"),
  );
});

test("tells in one line what an answer cost, and how much of its prompt was cached", () => {
  const stopwatch = new Stopwatch();
  vi.advanceTimersByTime(200);
  stopwatch.token();
  const usage = { promptTokens: 30, cachedTokens: 20, completionTokens: 1 };
  expect(turnFigures(stopwatch, { usage })).toBe(
    "[1 tokens after a prompt of 30, of which 20 were cached; first token: 200.0 ms; tokens per second: too few to tell]",
  );
});

test("omits figures that too few tokens give", () => {
  const stopwatch = new Stopwatch();
  expect(stopwatch.timeToFirstToken).toBeUndefined();
  expect(figures(stopwatch, result, [])).toMatch(/time to first token +none came/);
  stopwatch.token();
  expect(stopwatch.tokensPerSecond).toBeUndefined();
  expect(figures(stopwatch, result, [])).toMatch(/tokens per second +too few to tell/);
});
