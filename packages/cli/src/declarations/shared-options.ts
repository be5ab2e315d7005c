import { activationPrecisions, objectives, weightPrecisions } from "@ringrank/coordinator";
import { Argument, Option } from "commander";
import { parseBytes, parseNumber } from "../arguments/numbers.js";

export const model = new Argument(
  "[model]",
  "HuggingFace directory, .onnx file or a directory of them, or an id in the local HuggingFace cache",
);
export const demo = new Option("--demo", "use the embedded model, a small Llama of Shakespeare's works");
export const ranks = new Option("--ranks <count>", "number of ranks, 1 to 64")
  .argParser(parseNumber)
  .default(2);
export const objective = new Option(
  "--objective <objective>",
  "fewest bytes per rank, or least predicted time",
)
  .choices(objectives)
  .default("memory");
export const memoryPerRank = new Option(
  "--memory-per-rank <bytes>",
  "most bytes of weights one rank may hold",
).argParser(parseBytes);

export const precision = new Option(
  "--precision <type>",
  "hold matrices in fp32, or in blocks of 8 or 4 bits",
)
  .choices(weightPrecisions)
  .default("float32");
export const activations = new Option(
  "--activations <type>",
  "what is multiplied with quantized matrices (default: int8)",
).choices(activationPrecisions);

export const dtype = new Option(
  "--dtype <dtype>",
  "which of a directory's ONNX files, such as fp32, fp16, q8 or q4 (default: the checkpoint, else " +
    "fp32, else the only one)",
);
