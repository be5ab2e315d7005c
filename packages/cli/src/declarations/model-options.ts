import { wires } from "@ringrank/coordinator";
import { type Command, Option } from "commander";
import { collect, parseBytes, parseNumber } from "../arguments/numbers.js";
import * as shared from "./shared-options.js";

const wire = new Option("--wire <type>", "type in which partial sums cross between ranks")
  .choices(wires)
  .default("float32");

const policy = new Option("--policy <file>", "use a policy written by ringrank plan --json").conflicts(
  "objective",
);
const cacheMaxBytes = new Option(
  "--cache-max-bytes <bytes>",
  "most bytes of quantized weights to keep on disk (default: 20GB)",
)
  .argParser(parseBytes)
  .conflicts("cache");

const noRepeatNgramSize = new Option(
  "--no-repeat-ngram-size <count>",
  "no sequence of this many tokens occurs twice; 0 means no limit",
).argParser(parseNumber);
// Commander would take its name for the negation of another option.
noRepeatNgramSize.negate = false;

/** Adds the options of `run` and `chat` that say how tokens are chosen. */
export function addSamplingOptions(command: Command): Command {
  return command
    .option(
      "--max-new-tokens <count>",
      "most tokens to generate (default: the model's own, else 256)",
      parseNumber,
    )
    .option("--temperature <number>", "divides the logits; 0 always takes the likeliest token", parseNumber)
    .option("--top-k <count>", "sample from this many of the likeliest tokens; 0 means all", parseNumber)
    .option(
      "--top-p <share>",
      "sample from the likeliest tokens that together have this probability",
      parseNumber,
    )
    .option(
      "--min-p <share>",
      "leave out tokens below this share of the likeliest one's probability",
      parseNumber,
    )
    .option(
      "--repetition-penalty <number>",
      "penalty on tokens that have occurred; 1 means none",
      parseNumber,
    )
    .addOption(noRepeatNgramSize)
    .option(
      "--seed <integer>",
      "the same seed gives the same text, in float32 on any number of ranks (default: random)",
      parseNumber,
    )
    .option("--stop <text>", "end before this text; can be given more than once", collect)
    .option("--ignore-eos", "continue after an end-of-sequence token");
}

/** Adds the options of `run` and `chat` that say how the model is loaded. */
export function addLoadOptions(command: Command): Command {
  return command
    .addOption(policy)
    .addOption(shared.objective)
    .addOption(shared.memoryPerRank)
    .addOption(shared.precision)
    .addOption(shared.activations)
    .option("--threads-per-rank <count>", "number of threads in each rank (default: 1)", parseNumber)
    .option("--huge-pages", "ask Linux for 2 MB pages; requires the package koffi")
    .addOption(wire)
    .option("--trace <file>", "write where each rank's time goes, for ui.perfetto.dev or chrome://tracing")
    .option("--no-cache", "neither keep quantized weights on disk nor use those that are there")
    .addOption(cacheMaxBytes);
}
