import type { Command } from "commander";
import { clearCache, listCache } from "../commands/cache.js";
import { exitCodesHelp } from "../exit-codes.js";

const cacheExamples = `
Quantized weights are kept on disk, so that the next load of a model finds them and need not quantize again. They lie in
$RINGRANK_CACHE, else in $XDG_CACHE_HOME/ringrank, else in ~/.cache/ringrank, at most 20 GB (run --cache-max-bytes);
what was not used for the longest time goes first.

Examples:
  $ ringrank cache ls                                    models, sizes, when they were last used
  $ ringrank cache clear
  $ ringrank run path/to/model --no-cache                keep nothing of this load

${exitCodesHelp}`;

/** Declares `ringrank cache` and its subcommands. */
export function declareCache(program: Command): void {
  const cache = program
    .command("cache")
    .description("Show or empty the cache of quantized weights.")
    .addHelpText("after", cacheExamples);
  cache.command("ls").description("Print what is kept, and its sizes.").action(listCache);
  cache.command("clear").description("Remove all of it.").action(clearCache);
}
