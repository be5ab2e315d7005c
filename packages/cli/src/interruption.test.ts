import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Interruption, outputFailure } from "./interruption.js";

let interruption: Interruption;
beforeEach(() => {
  interruption = new Interruption();
});
afterEach(() => {
  interruption.end();
  vi.restoreAllMocks();
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s aborts the work, whose exit code is %d", (name, exitCode) => {
  process.emit(name, name);
  expect(interruption.signal.reason).toMatchObject({ message: `ended by ${name}`, exitCode });
});

test("a second Ctrl-C ends the process at once", () => {
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  process.emit("SIGINT", "SIGINT");
  expect(exit).not.toHaveBeenCalled();
  process.emit("SIGINT", "SIGINT");
  expect(exit).toHaveBeenCalledExactlyOnceWith(130);
});

test("signals have their usual effect again after the end", () => {
  const listeners = (): number[] => ["SIGINT", "SIGTERM"].map((name) => process.listenerCount(name));
  const during = listeners();
  interruption.end();
  expect(listeners()).toEqual(during.map((count) => count - 1));
});

test.each([
  ["EPIPE", 0],
  ["ENOSPC", 1],
])("the loss of standard output by %s has the exit code %d", (code, exitCode) => {
  const error = Object.assign(new Error(`${code}: no more`), { code });
  expect(outputFailure(error)).toMatchObject({ message: `standard output: ${code}: no more`, exitCode });
});
