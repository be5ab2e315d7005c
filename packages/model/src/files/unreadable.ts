import { isRingrankError, messageOf, RingrankError } from "@ringrank/errors";

const openFiles = "raise how many files the process may have open (ulimit -n), or close some";

/** By the system's code. */
const advice: ReadonlyMap<string | undefined, string> = new Map([
  ["ENOENT", "restore the file, or download the model again"],
  ["EACCES", "let this user read it"],
  ["EPERM", "let this user read it"],
  ["ERR_ACCESS_DENIED", "let this process read it, with --allow-fs-read"],
  ["EMFILE", openFiles],
  ["ENFILE", openFiles],
  ["EIO", "check the disk, and download the model again"],
]);

/** RR_MISSING_FILE for what the system says of a model's file, with what to do; an error with a code is unchanged. */
export function unreadable(error: unknown): RingrankError {
  if (isRingrankError(error)) return error;
  const what = advice.get((error as NodeJS.ErrnoException).code);
  const message = what === undefined ? messageOf(error) : `${messageOf(error)}; ${what}`;
  return new RingrankError("RR_MISSING_FILE", message, { cause: error });
}
