/** The limits on a process's number of threads. */
export const threadLimits = "ulimit -u, a container's pids";

/**
 * Advice if Node cannot start a thread, or the thread cannot read its modules; empty if neither is the problem.
 *
 * @param cause what Node threw, or anything else
 * @param owner the package that the thread's module belongs to
 */
export function threadAdvice(cause: unknown, owner: string): string {
  const { code, syscall, message = "" }: Partial<NodeJS.ErrnoException> = cause instanceof Error ? cause : {};
  // By message, since errors lose their code on the way between threads, and Node names the cause of its own there.
  if (/\bE[MN]FILE\b/.test(message)) {
    return ". Raise how many files the system lets the process have open (ulimit -n), or close some";
  }
  if (code === "ERR_WORKER_INIT_FAILED") {
    return `. Raise how many threads the system lets the process have (${threadLimits})`;
  }
  // Node looks up the working directory of every thread.
  if (syscall === "uv_cwd") return ". Start the process in a directory that exists, or change to one";
  // A bundler leaves out the module that a thread runs, or converts ours to one without an address.
  const isLost = code === "MODULE_NOT_FOUND" && message.includes("-worker.js");
  return isLost || code === "ERR_INVALID_URL" ? `. A bundler has to keep ${owner} external` : "";
}
