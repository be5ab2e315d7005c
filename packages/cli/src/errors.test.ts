import { type ErrorCode, errorCodes, RingrankError } from "@ringrank/coordinator";
import { CommanderError } from "commander";
import { expect, test, vi } from "vitest";
import { exitCodeOf, printError, printWarning, usageErrorLine } from "./errors.js";
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
  expect(line).toBe(
    "RR_OPTION: unknown option '--rank' (Did you mean --ranks?); ringrank run --help shows what there is\n",
  );
});

/** What is printed to standard error. */
function printed(print: () => void): string {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    print();
    return write.mock.calls.map(([text]) => text).join("");
  } finally {
    write.mockRestore();
  }
}

test("an error's causes are shown with it, if that is asked for", () => {
  const cause = new TypeError("x is undefined");
  const error = new RingrankError("RR_RANK_FAILED", "rank 1 failed", { cause });
  expect(printed(() => printError(error, false))).toBe("RR_RANK_FAILED: rank 1 failed\n");
  expect(printed(() => printError(error, true))).toBe(
    `RR_RANK_FAILED: rank 1 failed\n${error.stack}\n${cause.stack}\n`,
  );
});

test("an error that is among its own causes is shown once", () => {
  const error = new RingrankError("RR_RANK_FAILED", "round", { cause: new Error("and round") });
  const cause = error.cause as Error;
  cause.cause = error;
  expect(printed(() => printError(error, true))).toBe(
    `RR_RANK_FAILED: round\n${error.stack}\n${cause.stack}\n`,
  );
});

test.each([
  ["commander has printed itself", new CommanderError(1, "commander.unknownOption", "what?")],
  ["says that the reader has left", new Interrupted("standard output: EPIPE", 0)],
])("an error that %s is not printed", (_, error) => {
  expect(printed(() => printError(error, false))).toBe("");
});

test("what ended the command from outside is no error, but is printed", () => {
  expect(printed(() => printError(new Interrupted("ended by SIGINT", 130), false))).toBe("ended by SIGINT\n");
});

test.each<[string, unknown, string]>([
  ["a text", "enough", "enough"],
  ["nothing", undefined, "undefined"],
  ["an object", { status: 500 }, "{ status: 500 }"],
  ["an object without a prototype", Object.create(null), "[Object: null prototype] {}"],
  [
    "an error whose message is no text",
    Object.assign(new Error(), { message: Object.create(null) }),
    "[Object: null prototype] {}",
  ],
])("anything thrown can be printed: %s", (_, thrown, text) => {
  expect(printed(() => printError(thrown, false))).toBe(`error: ${text}\n`);
});

test("a value that is not an error is shown once", () => {
  expect(printed(() => printError("enough", true))).toBe("error: enough\n");
});

test("a cause that is not an error is shown, too", () => {
  const error = new RingrankError("RR_RANK_FAILED", "rank 1 failed", { cause: { status: 500 } });
  expect(printed(() => printError(error, true))).toBe(
    `RR_RANK_FAILED: rank 1 failed\n${error.stack}\n{ status: 500 }\n`,
  );
});

test("a warning is one line, whatever the message of its cause quotes", () => {
  const warning = new RingrankError("RR_CACHE", "cannot make it: EACCES, mkdir '/a\n/b'");
  const text = printed(() => printWarning(warning));
  expect(text).toBe("RR_CACHE: cannot make it: EACCES, mkdir '/a /b'\n");
});

test("invalid usage exits with 2, Ctrl-C with 130, anything unexpected with 1", () => {
  expect(exitCodeOf(new CommanderError(1, "commander.unknownOption", ""))).toBe(2);
  expect(exitCodeOf(new Interrupted("ended by SIGINT", 130))).toBe(130);
  expect(exitCodeOf(new TypeError("a bug"))).toBe(1);
});
