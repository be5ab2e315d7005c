import { writeFileSync } from "node:fs";
import { RingrankError } from "@ringrank/errors";

/**
 * Begins a trace, an array of events that every rank adds its own to when it ends.
 *
 * @throws RR_OPTION where it cannot be written: at once, and not after all the work it is to be of
 */
export function beginTrace(path: string): void {
  try {
    writeFileSync(path, "[\n");
  } catch (cause) {
    throw new RingrankError(
      "RR_OPTION",
      `trace: expected a file that can be written, got "${path}"; ${String(cause)}`,
      { cause },
    );
  }
}
