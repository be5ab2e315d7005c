import { wires } from "@ringrank/coordinator";
import { type Command, Option } from "commander";
import { collect, parseBytes, parseIds, parseNumber } from "../arguments/numbers.js";
import { type RunFlags, run } from "../commands/run.js";
import { exitCodesHelp } from "../exit-codes.js";
import * as shared from "./shared-options.js";

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

const wire = new Option("--wire <type>", "round what ranks add up, as a slower link would have it")
  .choices(wires)
  .default("float32");

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
// Commander would take its name for the negation of another option.
noRepeatNgramSize.negate = false;

/** Declares `ringrank run`. */
export function declareRun(program: Command, signal: AbortSignal): void {
  program
    .command("run")
    .description("Load a model on N ranks and stream text from it.")
    .addArgument(shared.model)
    .addOption(shared.demo)
    .addOption(shared.dtype)
    .addOption(shared.ranks)
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
    .addOption(shared.objective)
    .addOption(shared.memoryPerRank)
    .addOption(shared.precision)
    .addOption(shared.activations)
    .option("--threads-per-rank <count>", "threads inside each rank (default: 1)", parseNumber)
    .option("--huge-pages", "ask Linux for pages of 2 MB, which takes the package koffi")
    .addOption(wire)
    .option("--trace <file>", "write where each rank's time goes, for ui.perfetto.dev or chrome://tracing")
    .option("--no-cache", "do not keep quantized weights on disk, nor use those that are there")
    .addOption(cacheMaxBytes)
    .addHelpText("after", runExamples)
    .action((directory: string | undefined, flags: RunFlags) => run(directory, flags, signal));
}
