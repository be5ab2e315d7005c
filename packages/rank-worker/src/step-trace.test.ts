import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
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

/** The trace of a rank, in a new file. */
function newTrace(origin = performance.timeOrigin) {
  const path = join(temporaryDirectory(), "trace.json");
  writeFileSync(path, "[\n");
  return { path, trace: new StepTrace(0, { path, origin }) };
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
  const { path, trace } = newTrace();
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

it("the times of a step are its own, and those of a collective are divided into waiting and moving", () => {
  const { path, trace } = newTrace();
  for (const waited of [3, 0]) {
    const start = trace.begin() - 5;
    trace.endCollective("all-reduce", start, waited);
    trace.endStep("step", start);
  }
  trace.finish();
  const [first, second] = eventsOf(path).filter(({ name }) => name === "step");
  expect([first!.args.waiting_us, second!.args.waiting_us]).toEqual([3000, 0]);
  for (const { args, dur } of eventsOf(path).filter(({ name }) => name === "all-reduce")) {
    // Each is rounded to a tenth of a microsecond.
    expect(args.waiting_us! + args.moving_us!).toBeCloseTo(dur, 0);
  }
});

it("events have the time since loading began, on all threads", () => {
  const { path, trace } = newTrace(performance.timeOrigin - 2000);
  trace.endStep("step", 7);
  trace.finish();
  // The origin is known to a quarter of a microsecond.
  expect(eventsOf(path).find(({ name }) => name === "step")!.ts).toBeCloseTo(2_007_000, 0);
});

it("thousands of spans are written together, between two steps, and only once", () => {
  const { path, trace } = newTrace();
  const spans = (): number => eventsOf(path).filter(({ ph }) => ph === "X").length;
  for (let index = 0; index < 4096; index++) trace.end("session", "segment", trace.begin());
  expect(spans()).toBe(0);
  trace.endStep("step", trace.begin());
  expect(spans()).toBe(4097);
  trace.finish();
  expect(spans()).toBe(4097);
});

it("events that could not be written are reported at the end, and fail no step before", () => {
  const trace = new StepTrace(0, { path: join(temporaryDirectory(), "absent", "trace.json"), origin: 0 });
  trace.endStep("step", trace.begin());
  expect(() => trace.finish()).toThrow("ENOENT");
});
