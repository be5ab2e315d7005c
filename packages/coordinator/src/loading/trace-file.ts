import { writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { RingrankError } from "@ringrank/errors";
import type { TraceFile } from "@ringrank/rank-worker";

/**
 * Starts a trace file: an array of events, to which every rank appends its own.
 *
 * @throws RR_OPTION if it cannot be written; this is found out at once, not after the work to be traced
 */
export function beginTrace(path: string): TraceFile {
  try {
    writeFileSync(path, "[\n");
    return { path, origin: performance.timeOrigin + performance.now() };
  } catch (cause) {
    throw new RingrankError(
      "RR_OPTION",
      `trace: expected a file that can be written, got "${path}": ${(cause as Error).message}`,
      { cause },
    );
  }
}
