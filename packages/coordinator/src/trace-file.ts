import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { RingrankError } from "@ringrank/errors";
import type { TraceFile } from "@ringrank/rank-worker";

/**
 * Begins a trace, an array of events that every rank adds its own to when it ends.
 *
 * @throws RR_OPTION where it cannot be written: at once, and not after all the work it is to be of
 */
export function beginTrace(given: string): TraceFile {
  // Ranks write when they end; by then the process may work in another directory.
  const path = resolve(given);
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
