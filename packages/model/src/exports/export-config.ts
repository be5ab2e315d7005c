import { basename, dirname, join } from "node:path";
import { ConfigReader, isJsonObject, type JsonObject } from "../checkpoint/index.js";
import { isListed } from "../files/is-listed.js";
import { jsonFileLimits, readJsonObject } from "../files/json.js";

/** What is known about a model in addition to its ONNX files. */
export interface ExportConfig {
  /** The directory of the config, the tokenizer and generation_config.json. */
  readonly directory: string;
  /** Empty if there is none. */
  readonly config: JsonObject;
}

const genaiName = "genai_config.json";

/**
 * The config of an ONNX file: next to it, or above the folder `onnx` that contains it.
 *
 * @throws RR_FILE_FORMAT if a config is not JSON
 */
export function exportConfig(folder: string): ExportConfig {
  const above = basename(folder) === "onnx" ? [dirname(folder)] : [];
  for (const directory of [folder, ...above]) {
    const path = join(directory, "config.json");
    if (isListed(path)) return { directory, config: readJsonObject(path, jsonFileLimits.config) };
    if (isListed(join(directory, genaiName))) return { directory, config: readGenaiConfig(directory) };
  }
  return { directory: folder, config: {} };
}

/**
 * The config written by onnxruntime-genai's builder, with HuggingFace's names
 * (https://onnxruntime.ai/docs/genai/reference/config.html).
 */
function readGenaiConfig(directory: string): JsonObject {
  const path = join(directory, genaiName);
  const { model } = readJsonObject(path, jsonFileLimits.config);
  if (!isJsonObject(model)) throw new ConfigReader({}, path).error('expected an object "model"');
  const { context_length, vocab_size, bos_token_id, eos_token_id } = model;
  const fields = { max_position_embeddings: context_length, vocab_size, bos_token_id, eos_token_id };
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as JsonObject;
}
