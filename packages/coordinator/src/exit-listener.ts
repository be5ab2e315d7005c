import { RingrankError } from "@ringrank/errors";

/** What must leave native code before the process may end. */
export interface ExitGuarded {
  /** Asks all ranks to stop where they are. Must not wait. */
  stopNow(error: RingrankError): void;
  /** Blocks until no rank is inside native code, for at most `timeoutMs`. Returns whether that is so. */
  waitUntilOutside(timeoutMs: number): boolean;
}

/**
 * How long the end of the process may be delayed, in milliseconds, for all models together. A native call is one
 * segment of one step; beyond this, aborting is the lesser evil.
 */
const patienceMs = 10_000;

const guarded = new Set<ExitGuarded>();

/**
 * Terminating a thread inside ONNX Runtime's native code aborts the process. So on `exit` (a call of `process.exit`, an
 * uncaught exception, the natural end), the ranks are asked to leave native code, and waited for. This is the only
 * place where the main thread blocks. The process keeps its exit code.
 *
 * @returns a function that undoes it, once the ranks' threads have ended
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
