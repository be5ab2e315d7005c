import { wires } from "@ringrank/coordinator";
import { type Command, Option } from "commander";
import { collect, parseBytes, parseNumber } from "../arguments/numbers.js";
import * as shared from "./shared-options.js";

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

/** Adds the options of `run` and `chat` that say how tokens are chosen. */
export function addSamplingOptions(command: Command): Command {
  return command
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
    .option("--ignore-eos", "go on past the end-of-sequence token");
}

/** Adds the options of `run` and `chat` that say how the model is loaded. */
export function addLoadOptions(command: Command): Command {
  return command
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
    .addOption(cacheMaxBytes);
}
