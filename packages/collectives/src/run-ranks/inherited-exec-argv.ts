import { Worker } from "node:worker_threads";

/**
 * Node's own options that a worker thread of this process should be given: those of the process, but for
 * `--input-type`, which says what the text given by `--eval` is and which a worker, started from a file, refuses.
 *
 * @returns undefined for all of them, which a worker inherits that is given none; else without those that it would
 * refuse to be given, flags of the engine and of the process, which hold for it anyhow
 */
export function inheritedExecArgv(execArgv: readonly string[] = process.execArgv): string[] | undefined {
  const given = execArgv.filter((option, at) => {
    const isType = option === "--input-type" || option.startsWith("--input-type=");
    return !isType && execArgv[at - 1] !== "--input-type";
  });
  if (given.length === execArgv.length) return undefined;
  const refused = refusedOf(given);
  return given.filter((option) => !refused.has(option));
}

/** A flag of the engine, with which no worker starts. */
const neverTaken = "--max-old-space-size=1";

/** Node alone knows which options it refuses to give a worker: all of them are in the error's message. */
function refusedOf(options: readonly string[]): ReadonlySet<string> {
  try {
    new Worker("", { eval: true, execArgv: [...options, neverTaken] }).unref();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_WORKER_INVALID_EXEC_ARGV") throw error;
    const { message } = error as Error;
    return new Set(message.slice(message.indexOf(": ") + 2).split(", "));
  }
  return new Set();
}
