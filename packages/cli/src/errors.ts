import { type ErrorCode, isRingrankError, RingrankError } from "@ringrank/coordinator";
import { CommanderError } from "commander";
import { exitCodes } from "./exit-codes.js";
import { Interrupted } from "./interruption.js";
import { styled } from "./output/style.js";

/** Codes of failures while running; every other code is about the input. */
const runtimeCodes: ReadonlySet<ErrorCode> = new Set([
  "RR_ABORTED",
  "RR_CLOSED",
  "RR_MISMATCH",
  "RR_TIMEOUT",
  "RR_ADDRESS_SPACE",
  "RR_RANK_FAILED",
  "RR_RANK_DIED",
  "RR_MODEL_FAILED",
]);

export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof CommanderError) return exitCodes.usage;
  if (isRingrankError(error)) return runtimeCodes.has(error.code) ? exitCodes.failed : exitCodes.usage;
  return exitCodes.failed;
}

/** Prints to standard error: one line, `code: message`; with stack and causes if requested. */
export function printError(error: unknown, verbose: boolean): void {
  // Commander has printed its own errors, and a reader that has left needs no message.
  if (error instanceof CommanderError || exitCodeOf(error) === exitCodes.ok) return;
  const lines = [oneLine(error)];
  if (verbose || process.env.RINGRANK_LOG === "debug") lines.push(...stacks(error));
  process.stderr.write(`${lines.join("\n")}\n`);
}

/**
 * Commander's message in the form of other errors, with a hint where to look.
 *
 * @param text "error: …", possibly with a suggestion on another line
 */
export function usageErrorLine(text: string, command: string): string {
  const message = oneLine(new RingrankError("RR_OPTION", text.trim().replace(/^error: |\.$/g, "")));
  return `${message}; ${command} --help shows what there is\n`;
}

/** Prints to standard error: one line, `code: message`, like an error, in another colour. */
export function printWarning({ code, message }: RingrankError): void {
  process.stderr.write(`${line("yellow", code, message)}\n`);
}

function oneLine(error: unknown): string {
  if (error instanceof Interrupted) return styled(process.stderr, "dim", error.message);
  return line("red", isRingrankError(error) ? error.code : "error", textsOf(error).message);
}

/** Message and stack of anything that can be thrown. As plain data, a cause has texts in these fields, if any. */
function textsOf(thrown: unknown): { readonly message: string; readonly stack?: string } {
  const { cause } = new RingrankError("RR_RANK_FAILED", "", { cause: thrown }).toData();
  return cause ?? { message: String(thrown) };
}

/** Foreign messages, such as those of JSON.parse, may contain line breaks. */
function line(style: "red" | "yellow", name: string, message: string): string {
  return `${styled(process.stderr, style, name)}: ${message.replace(/\s*\n\s*/g, " ")}`;
}

/** Of an error and its causes, each once: a chain of causes may be circular. Its last may be anything. */
function stacks(error: unknown): string[] {
  // All that there is of another value is in the first line.
  if (!(error instanceof Error)) return [];
  const chain = new Set<unknown>();
  let one: unknown = error;
  while (one !== undefined && !chain.has(one)) {
    chain.add(one);
    one = one instanceof Error ? one.cause : undefined;
  }
  return [...chain].map(textsOf).map(({ stack, message }) => stack ?? message);
}
