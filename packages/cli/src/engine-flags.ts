/**
 * The optimizing compiler runs during the first tokens, on the ranks' cores, and compiles again for each rank's thread.
 * With these flags, it inlines less, and considers a function hot after twice the default amount of work. Most texts of
 * the command end before more optimization would pay (docs/design/packaging.md has the figures). Measured with Node
 * 20's engine, so only set for that.
 */
export const compilerFlags: readonly string[] = process.versions.v8.startsWith("11.3.")
  ? ["--max-inlined-bytecode-size-cumulative=300", "--interrupt-budget=135000"]
  : [];
