import { type ErrorCode, errorCodes, RingrankError } from "@ringrank/coordinator";
import { CommanderError } from "commander";
import { expect, test, vi } from "vitest";
import { exitCodeOf, printWarning, usageErrorLine } from "./errors.js";
import { Interrupted } from "./interruption.js";

const codes = Object.keys(errorCodes) as ErrorCode[];

test("every error code has an exit status: 1 for a failure while running, 2 for invalid input", () => {
  const runtime = codes.filter((code) => exitCodeOf(new RingrankError(code, "")) === 1);
  expect(runtime).toEqual([
    "RR_ABORTED",
    "RR_CLOSED",
    "RR_MISMATCH",
    "RR_TIMEOUT",
    "RR_ADDRESS_SPACE",
    "RR_RANK_FAILED",
    "RR_RANK_DIED",
    "RR_MODEL_FAILED",
  ]);
  for (const code of codes.filter((other) => !runtime.includes(other))) {
    expect(exitCodeOf(new RingrankError(code, ""))).toBe(2);
  }
});

test("a two-line message of commander becomes one line, like all errors", () => {
  const line = usageErrorLine("error: unknown option '--rank'\n(Did you mean --ranks?)\n", "ringrank run");
  expect(line).toMatch(
    /^[^\n]*unknown option '--rank' \(Did you mean --ranks\?\); ringrank run --help[^\n]*\n$/,
  );
});

test("a warning is one line, whatever the message of its cause quotes", () => {
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    printWarning(new RingrankError("RR_CACHE", "cannot make it: EACCES, mkdir '/a\n/b'"));
    expect(written.mock.calls).toEqual([["RR_CACHE: cannot make it: EACCES, mkdir '/a /b'\n"]]);
  } finally {
    written.mockRestore();
  }
});

test("invalid usage exits with 2, Ctrl-C with 130, anything unexpected with 1", () => {
  expect(exitCodeOf(new CommanderError(1, "commander.unknownOption", ""))).toBe(2);
  expect(exitCodeOf(new Interrupted("ended by SIGINT", 130))).toBe(130);
  expect(exitCodeOf(new TypeError("a bug"))).toBe(1);
});
