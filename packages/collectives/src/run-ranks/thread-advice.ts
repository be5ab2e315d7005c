/** What limits how many threads a process may have. */
export const threadLimits = "ulimit -u, a container's pids";

/**
 * What to do where Node starts no thread, or one whose module is not there; empty where that is not why.
 *
 * @param cause what Node threw, or anything else
 * @param owner the package that the thread's module belongs to
 */
export function threadAdvice(cause: unknown, owner: string): string {
  const { code, message = "" }: Partial<NodeJS.ErrnoException> = cause instanceof Error ? cause : {};
  if (code === "ERR_WORKER_INIT_FAILED") {
    return `. Raise how many threads the system lets the process have (${threadLimits})`;
  }
  // A bundler leaves behind the module that a thread begins with, or makes of ours one that knows no address.
  const isLost = code === "MODULE_NOT_FOUND" && message.includes("-worker.js");
  return isLost || code === "ERR_INVALID_URL" ? `. A bundler has to keep ${owner} external` : "";
}
