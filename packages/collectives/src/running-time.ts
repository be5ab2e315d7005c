/** A stopped process loses at most one of so many parts of a limit. */
const parts = 4;

/**
 * Calls `expired` once this process has run for so many milliseconds. The time is the sum of timers, not a clock
 * reading: if the process was stopped (Ctrl-Z, a frozen container), one of them is due when it resumes, however long
 * that was.
 *
 * @returns a function that ends the wait
 */
export function afterRunning(milliseconds: number, expired: () => void): () => void {
  let left = parts;
  const timer = setInterval(
    () => {
      if (--left > 0) return;
      clearInterval(timer);
      expired();
    },
    Math.ceil(milliseconds / parts),
  );
  return () => clearInterval(timer);
}
