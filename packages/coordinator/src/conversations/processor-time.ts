import { runInNewContext } from "node:vm";

/**
 * Runs `work`, and ends it once it has taken about this many milliseconds of the processor's time. The engine only
 * limits time on the clock, which goes on while the process is stopped (Ctrl-Z). So work that was ended early is begun
 * again.
 *
 * @throws an error with the code ERR_SCRIPT_EXECUTION_TIMEOUT; what `work` throws
 */
export function withinProcessorTime<Result>(milliseconds: number, work: () => Result): Result {
  const before = process.cpuUsage();
  for (;;) {
    try {
      // A function called from a script is subject to the script's time limit, too.
      return runInNewContext("work()", { work }, { timeout: milliseconds }) as Result;
    } catch (error) {
      const { user, system } = process.cpuUsage(before);
      const wasStopped = user + system < (milliseconds * 1000) / 2;
      if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT" || !wasStopped)
        throw error;
    }
  }
}
