import { createRequire } from "node:module";
import { activationPrecisions, objectives, weightPrecisions, wires } from "@ringrank/coordinator";
import { Argument, Command, CommanderError, Option } from "commander";
import { collect, parseBytes, parseIds, parseNumber } from "./arguments/numbers.js";
import { clearCache, listCache } from "./commands/cache.js";
import { type PlanFlags, plan } from "./commands/plan.js";
import { type RunFlags, run } from "./commands/run.js";
import { exitCodeOf, printError, usageErrorLine } from "./errors.js";
import { exitCodesHelp } from "./exit-codes.js";
import { Interruption } from "./interruption.js";
import { print } from "./output/print.js";

const examples = `
Examples:
  $ ringrank run --demo                                  stream from the embedded model, on 2 ranks
  $ ringrank run --demo --ranks 4 --prompt "ROMEO:"
  $ ringrank plan path/to/model --ranks 8                who would hold what, and why

${exitCodesHelp}
Documentation of every error code: docs/errors.md in the repository.`;

const runExamples = `
Examples:
  $ ringrank run --demo --ranks 4 --prompt "ROMEO:"
  $ ringrank run path/to/model --max-new-tokens 40 --temperature 0
  $ ringrank run path/to/model --chat --prompt "Who art thou?"
  $ ringrank run path/to/model --precision int4
  $ ringrank run path/to/export --dtype q4               onnx/model_q4.onnx, as transformers.js has it
  $ ringrank run org/name --temperature 0.8 --top-p 0.9  an id that the local HuggingFace cache has
  $ ringrank plan path/to/model --ranks 2 --json > policy.json
  $ ringrank run path/to/model --ranks 2 --policy policy.json

What is left out of how tokens are chosen, the model's generation_config.json says.
The text goes to standard output, everything else to standard error.
${exitCodesHelp}`;

const planExamples = `
Examples:
  $ ringrank plan --demo --ranks 4
  $ ringrank plan path/to/model --ranks 8                needs no more than the model's config.json
  $ ringrank plan path/to/model --ranks 8 --memory-per-rank 24GB
  $ ringrank plan path/to/model --ranks 8 --json > policy.json

${exitCodesHelp}`;

const cacheExamples = `
Quantized weights are kept on disk, so that the next load of a model finds them and need not quantize again. They lie in
$RINGRANK_CACHE, else in $XDG_CACHE_HOME/ringrank, else in ~/.cache/ringrank, at most 20 GB (run --cache-max-bytes);
what was not used for the longest time goes first.

Examples:
  $ ringrank cache ls                                    models, sizes, when they were last used
  $ ringrank cache clear
  $ ringrank run path/to/model --no-cache                keep nothing of this load

${exitCodesHelp}`;

/**
 * Runs the command.
 *
 * @param args without the names of node and the script
 * @returns the exit code; errors have been printed
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const interruption = new Interruption();
  const help: string[] = [];
  const program = commandLine(interruption.signal, (text) => help.push(text));
  try {
    await program.parseAsync(args, { from: "user" }).catch(async (error: unknown) => {
      // Commander throws to end after --help and --version, too.
      if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
      await print(help.join(""));
    });
    return 0;
  } catch (error) {
    const reason: unknown = interruption.signal.aborted ? interruption.signal.reason : error;
    printError(reason, program.opts<{ verbose?: boolean }>().verbose === true);
    return exitCodeOf(reason);
  } finally {
    interruption.end();
  }
}

/** @param writeHelp takes what --help and --version have to say */
function commandLine(signal: AbortSignal, writeHelp: (text: string) => void): Command {
  const program = new Command("ringrank")
    .description("Run a HuggingFace model on N tensor-parallel ranks, split by a policy that nobody wrote.")
    .version(version())
    .option("--verbose", "print the stack and the causes of an error, as RINGRANK_LOG=debug does")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: writeHelp })
    .exitOverride()
    .addHelpText("after", examples);

  const model = new Argument(
    "[model]",
    "HuggingFace directory, .onnx file or a directory of them, or an id in the local HuggingFace cache",
  );
  const demo = new Option("--demo", "use the embedded model, a small Llama of Shakespeare's works");
  const ranks = new Option("--ranks <count>", "number of ranks, 1 to 64").argParser(parseNumber).default(2);
  const objective = new Option("--objective <objective>", "fewest bytes per rank, or least predicted time")
    .choices(objectives)
    .default("memory");
  const memoryPerRank = new Option(
    "--memory-per-rank <bytes>",
    "most bytes of weights one rank may hold",
  ).argParser(parseBytes);

  const precision = new Option("--precision <type>", "hold matrices in fp32, or in blocks of 8 or 4 bits")
    .choices(weightPrecisions)
    .default("float32");
  const activations = new Option(
    "--activations <type>",
    "what is multiplied with quantized matrices (default: int8)",
  ).choices(activationPrecisions);

  const wire = new Option("--wire <type>", "round what ranks add up, as a slower link would have it")
    .choices(wires)
    .default("float32");

  const dtype = new Option(
    "--dtype <dtype>",
    "which of a directory's ONNX files, such as fp32, fp16, q8 or q4 (default: the checkpoint, else " +
      "fp32, else the only one)",
  );

  const policy = new Option("--policy <file>", "use this policy, as ringrank plan --json wrote it").conflicts(
    "objective",
  );
  const cacheMaxBytes = new Option(
    "--cache-max-bytes <bytes>",
    "most bytes of quantized weights kept on disk (default: 20GB)",
  )
    .argParser(parseBytes)
    .conflicts("cache");

  const noRepeatNgramSize = new Option(
    "--no-repeat-ngram-size <count>",
    "no run of this many tokens comes twice; 0 is no limit",
  ).argParser(parseNumber);
  // By its name alone it would be the negation of another.
  noRepeatNgramSize.negate = false;

  program
    .command("run")
    .description("Load a model on N ranks and stream text from it.")
    .addArgument(model)
    .addOption(demo)
    .addOption(dtype)
    .addOption(ranks)
    .option("-p, --prompt <text>", 'text to continue (default: "ROMEO:" of --demo, else "Once upon a time")')
    .option("--chat", "the prompt is a user's message, written as the model's chat template has it")
    .option("--system <text>", "a system message before it; implies --chat")
    .option(
      "--decoder-prompt <ids>",
      "token ids that an encoder–decoder's text begins with, such as its language: 2,128028",
      parseIds,
    )
    .option(
      "--max-new-tokens <count>",
      "most tokens to generate (default: the model's, else 256)",
      parseNumber,
    )
    .option("--temperature <number>", "divides the logits; 0 is greedy", parseNumber)
    .option("--top-k <count>", "sample from the likeliest tokens only; 0 is no limit", parseNumber)
    .option("--top-p <share>", "sample from the tokens that reach this probability", parseNumber)
    .option("--min-p <share>", "drop tokens below this share of the likeliest", parseNumber)
    .option("--repetition-penalty <number>", "penalty on tokens seen; 1 is none", parseNumber)
    .addOption(noRepeatNgramSize)
    .option(
      "--seed <integer>",
      "same seed, same text; in float32 at every number of ranks (default: random)",
      parseNumber,
    )
    .option("--stop <text>", "end before this text; may be given more than once", collect)
    .option("--ignore-eos", "go on past the end-of-sequence token")
    .addOption(policy)
    .addOption(objective)
    .addOption(memoryPerRank)
    .addOption(precision)
    .addOption(activations)
    .option("--threads-per-rank <count>", "threads inside each rank (default: 1)", parseNumber)
    .option("--huge-pages", "ask Linux for pages of 2 MB, which takes the package koffi")
    .addOption(wire)
    .option("--trace <file>", "write where each rank's time goes, for ui.perfetto.dev or chrome://tracing")
    .option("--no-cache", "do not keep quantized weights on disk, nor use those that are there")
    .addOption(cacheMaxBytes)
    .addHelpText("after", runExamples)
    .action((directory: string | undefined, flags: RunFlags) => run(directory, flags, signal));

  program
    .command("plan")
    .description("Print how a model would be divided, and why. Reads no weights.")
    .addArgument(model)
    .addOption(demo)
    .addOption(dtype)
    .addOption(ranks)
    .option("--json", "print the policy as JSON, for ringrank run --policy")
    .addOption(objective)
    .addOption(memoryPerRank)
    .addOption(precision)
    .addOption(activations)
    .addHelpText("after", planExamples)
    .action((directory: string | undefined, flags: PlanFlags) => plan(directory, flags, signal));

  const cache = program
    .command("cache")
    .description("Show or empty the cache of quantized weights.")
    .addHelpText("after", cacheExamples);
  cache.command("ls").description("Print what is kept, and its sizes.").action(listCache);
  cache.command("clear").description("Remove all of it.").action(clearCache);

  printUsageErrorsAsLines(program, "ringrank");
  return program;
}

/** @param path what is typed to call it: "ringrank cache" */
function printUsageErrorsAsLines(command: Command, path: string): void {
  command.configureOutput({ outputError: (text, write) => write(usageErrorLine(text, path)) });
  for (const child of command.commands) printUsageErrorsAsLines(child, `${path} ${child.name()}`);
}

function version(): string {
  const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
  return version;
}
