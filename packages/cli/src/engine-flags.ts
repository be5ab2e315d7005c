import { relaxedSimdFlags } from "@ringrank/webassembly";

/**
 * The optimizing compiler works beside the first tokens, on the ranks' cores, and does so again for each rank's thread.
 * It puts less in line, and takes a function for hot after twice the work that it does by default: most texts of a
 * command have ended when that no longer pays (docs/design/packaging.md has figures). Measured with Node 20's engine,
 * so for that alone.
 */
const compilerFlags: readonly string[] = process.versions.v8.startsWith("11.3.")
  ? ["--max-inlined-bytecode-size-cumulative=300", "--interrupt-budget=135000"]
  : [];

/** What the command sets for its process. A library does not, since its host's other modules run in the same. */
export const engineFlags: readonly string[] = [...relaxedSimdFlags, ...compilerFlags];
