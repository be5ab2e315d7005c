import { activationPrecisions, objectives, weightPrecisions } from "@ringrank/coordinator";
import { Argument, Option } from "commander";
import { parseBytes, parseNumber } from "../arguments/numbers.js";
import { parseVariables } from "../arguments/template-variables.js";

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
  "what to minimize: the bytes of each rank, or the predicted time",
)
  .choices(objectives)
  .default("memory");
export const memoryPerRank = new Option(
  "--memory-per-rank <bytes>",
  "most bytes of weights that one rank may hold",
).argParser(parseBytes);

export const precision = new Option("--precision <type>", "type of the matrices in memory")
  .choices(weightPrecisions)
  .default("float32");
export const activations = new Option(
  "--activations <type>",
  "type that quantized matrices are multiplied with (default: int8)",
).choices(activationPrecisions);

export const dtype = new Option(
  "--dtype <dtype>",
  "which of a directory's ONNX files to load, such as fp32, fp16, q8 or q4 (default: the checkpoint, else " +
    "fp32, else the only one)",
);

/** @param also what else it does */
export function templateVariables(also = ""): Option {
  const description = `what the chat template reads besides messages, such as {"enable_thinking": false}${also}`;
  return new Option("--template-variables <json>", description).argParser(parseVariables);
}
