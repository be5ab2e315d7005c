import { expect, it } from "vitest";
import { withinProcessorTime } from "./processor-time.js";

/** Lets time pass without computing, as in a process that is stopped. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

it("ends work that loops", () => {
  const loop = (): void => {
    for (;;);
  };
  expect(() => withinProcessorTime(20, loop)).toThrow(
    expect.objectContaining({ code: "ERR_SCRIPT_EXECUTION_TIMEOUT" }),
  );
});

it("does not count time for which the process is stopped", () => {
  let times = 0;
  const work = (): string => {
    if (times++ === 0) pause(1000);
    return "done";
  };
  expect(withinProcessorTime(200, work)).toBe("done");
});

it("passes on what the work throws", () => {
  const error = new Error("refused");
  const work = (): void => {
    throw error;
  };
  expect(() => withinProcessorTime(1000, work)).toThrow(error);
});
