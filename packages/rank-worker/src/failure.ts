import { type ErrorCode, isRingrankError, messageOf, RingrankError } from "@ringrank/errors";

/**
 * Codes of errors that a rank throws because something else happened first: a peer's fault, a timeout, the end of the
 * process.
 */
const echoes: ReadonlySet<ErrorCode> = new Set([
  "RR_RANK_FAILED",
  "RR_RANK_DIED",
  "RR_TIMEOUT",
  "RR_MISMATCH",
  "RR_ABORTED",
  "RR_CLOSED",
]);

/**
 * A rank's error as the group sees it: `RR_RANK_FAILED` with the rank, and the thrown error as its cause. An error that
 * comes from the group already names its cause and is unchanged.
 */
export function rankFailure(error: unknown, rank: number): RingrankError {
  if (isRingrankError(error) && echoes.has(error.code)) return error;
  return new RingrankError("RR_RANK_FAILED", `rank ${rank} failed: ${messageOf(error)}`, {
    rank,
    cause: error,
  });
}
