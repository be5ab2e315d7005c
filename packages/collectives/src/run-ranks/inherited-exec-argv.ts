import { Worker } from "node:worker_threads";

/**
 * The Node options to pass to a worker thread of this process: those of the process, except `--input-type`, which
 * describes the text given by `--eval`, and which a worker that starts from a file refuses.
 *
 * @returns undefined for all of them, which a worker inherits if it is given none; otherwise without those that it
 * would refuse, which are flags of the engine and of the process, and apply to it anyway
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

/** An engine flag with which no worker starts. */
const neverTaken = "--max-old-space-size=1";

/** Only Node knows which options it refuses for a worker: the error's message lists all of them. */
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
