import { existsSync } from "node:fs";
import { join } from "node:path";
import { type JsonObject, jsonFileLimits, readJsonObject } from "../files/json.js";

/** The file in which a model directory says how its tokenizer is used. */
export function tokenizerConfigFile(directory: string): string {
  return join(directory, "tokenizer_config.json");
}

/**
 * The contents of `tokenizer_config.json`; empty if there is none.
 *
 * @throws RR_FILE_FORMAT if it is not a JSON object
 */
export function readTokenizerConfig(directory: string): JsonObject {
  const path = tokenizerConfigFile(directory);
  return existsSync(path) ? readJsonObject(path, jsonFileLimits.tokenizer) : {};
}
