/**
 * Node's own options that a worker thread of this process should be given: those of the process, but for
 * `--input-type`, which says what the text given by `--eval` is and which a worker, started from a file, refuses.
 *
 * @returns undefined for all of them: a worker that is given none inherits them, with flags of the engine, which it
 * would refuse to be given
 */
export function inheritedExecArgv(execArgv: readonly string[] = process.execArgv): string[] | undefined {
  const given = execArgv.filter((option, at) => {
    const isType = option === "--input-type" || option.startsWith("--input-type=");
    return !isType && execArgv[at - 1] !== "--input-type";
  });
  return given.length === execArgv.length ? undefined : given;
}
