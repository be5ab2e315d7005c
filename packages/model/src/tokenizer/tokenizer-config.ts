import { join } from "node:path";
import { isListed } from "../files/is-listed.js";
import { type JsonObject, jsonFileLimits, readJsonObject } from "../files/json.js";

/** The file in which a model directory says how its tokenizer is used. */
export function tokenizerConfigFile(directory: string): string {
  return join(directory, "tokenizer_config.json");
}

/**
 * The contents of `tokenizer_config.json`, and of `special_tokens_map.json`, which older versions of transformers wrote
 * next to it. As in transformers, the map counts where both have a field, but is not read if the config has
 * `added_tokens_decoder`.
 *
 * @throws RR_FILE_FORMAT if one of them is not a JSON object
 */
export function readTokenizerConfig(directory: string): JsonObject {
  const config = objectIn(tokenizerConfigFile(directory));
  if (config.added_tokens_decoder !== undefined) return config;
  return { ...config, ...objectIn(join(directory, "special_tokens_map.json")) };
}

/** Empty if there is no such file. */
function objectIn(path: string): JsonObject {
  return isListed(path) ? readJsonObject(path, jsonFileLimits.tokenizer) : {};
}
