import { type ErrorCode, isRingrankError, RingrankError } from "@ringrank/errors";

/** What can be wrong with one text. */
const codes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "RR_INPUT",
  "RR_EMPTY_PROMPT",
  "RR_TOKEN_ID",
  "RR_CONTEXT",
]);

/** An error of one of many texts, saying which one it is. An error of the model stays as it is. */
export function aboutText(index: number, error: unknown): unknown {
  if (!isRingrankError(error) || !codes.has(error.code)) return error;
  return new RingrankError(error.code, `text ${index}: ${error.message}`, { cause: error });
}
