import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { StepTrace } from "./step-trace.js";

interface Event {
  readonly name: string;
  readonly ph: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: Record<string, number>;
}

/** The format allows a file to end without its closing bracket. */
function eventsOf(path: string): Event[] {
  return JSON.parse(readFileSync(path, "utf8").replace(/,\s*$/, "]")) as Event[];
}

it("every rank adds its events to one file, with a thread for each rank", () => {
  const path = join(temporaryDirectory(), "trace.json");
  writeFileSync(path, "[\n");
  for (const rank of [1, 0]) {
    const trace = new StepTrace(rank, { path, origin: performance.timeOrigin });
    trace.end("session", "segment 3", trace.begin());
    trace.finish();
  }
  const spans = eventsOf(path).filter(({ ph }) => ph === "X");
  expect(spans.map(({ name, tid }) => [name, tid])).toEqual([
    ["segment 3", 1],
    ["segment 3", 0],
  ]);
});

it("a step lists what its time was spent on, including the rest", () => {
  const path = join(temporaryDirectory(), "trace.json");
  writeFileSync(path, "[\n");
  const trace = new StepTrace(0, { path, origin: performance.timeOrigin });
  const start = trace.begin();
  trace.end("session", "segment 0", start);
  trace.endCollective("all-reduce", trace.begin(), 0);
  trace.endStep("step", start, { tokens: 3 });
  trace.finish();
  const step = eventsOf(path).find(({ name }) => name === "step")!;
  const { tokens, ...times } = step.args;
  expect(tokens).toBe(3);
  const parts = Object.values(times).reduce((sum, time) => sum + time, 0);
  expect(Object.keys(times).sort()).toEqual(
    [
      "activating_us",
      "attention_us",
      "cache_us",
      "choosing_us",
      "interpreting_us",
      "moving_us",
      "adding_us",
      "multiplying_us",
      "normalizing_us",
      "other_us",
      "session_us",
      "waiting_us",
    ].sort(),
  );
  // Each is rounded to a tenth of a microsecond.
  expect(Math.abs(parts - step.dur)).toBeLessThan(1);
});

it("events that could not be written are reported at the end, and fail no step before", () => {
  const trace = new StepTrace(0, { path: join(temporaryDirectory(), "absent", "trace.json"), origin: 0 });
  trace.endStep("step", trace.begin());
  expect(() => trace.finish()).toThrow("ENOENT");
});
