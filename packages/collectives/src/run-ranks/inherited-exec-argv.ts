/**
 * Node's own options that a worker thread of this process should have: those of the process, but for
 * `--input-type`, which says what the text given by `--eval` is and which a worker, started from a file, refuses.
 */
export function inheritedExecArgv(execArgv: readonly string[] = process.execArgv): string[] {
  return execArgv.filter((option, at) => {
    const isType = option === "--input-type" || option.startsWith("--input-type=");
    return !isType && execArgv[at - 1] !== "--input-type";
  });
}
