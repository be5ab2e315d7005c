import { RingrankError } from "@ringrank/errors";

/** What has to leave native code before the process may end. */
export interface ExitGuarded {
  /** Asks all ranks to stop where they are. Must not wait. */
  stopNow(error: RingrankError): void;
  /** Blocks until no rank is inside native code, at most `timeoutMs`; whether that is so. */
  waitUntilOutside(timeoutMs: number): boolean;
}

/**
 * How long the end of the process may be held up, in milliseconds, for all models together. One native call is one
 * segment of one step; past this, aborting is the lesser evil.
 */
const patienceMs = 10_000;

const guarded = new Set<ExitGuarded>();

/**
 * Ending a thread inside ONNX Runtime's native code aborts the process. So at `exit` (a call of `process.exit`, an
 * uncaught exception, the natural end) the ranks are asked to leave, and waited for: the one place where the main
 * thread blocks. The process keeps its own exit code.
 *
 * @returns undoes it, once the ranks' threads have ended
 */
export function guardExit(group: ExitGuarded): () => void {
  if (guarded.size === 0) process.on("exit", stopAll);
  guarded.add(group);
  return () => {
    if (guarded.delete(group) && guarded.size === 0) process.off("exit", stopAll);
  };
}

function stopAll(): void {
  const error = new RingrankError("RR_CLOSED", "the process is ending");
  for (const group of guarded) group.stopNow(error);
  const deadline = performance.now() + patienceMs;
  for (const group of guarded) group.waitUntilOutside(Math.max(0, deadline - performance.now()));
}
