import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonFileLimits,
  readJsonObject,
} from "../files/json.js";

const roles = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

/**
 * Texts of a model directory's special tokens, by their names in tokenizer_config.json. special_tokens_map.json has
 * those that the former does not name, as older versions of transformers wrote them.
 *
 * @param config the contents of tokenizer_config.json
 * @throws RR_FILE_FORMAT if special_tokens_map.json is not a JSON object
 */
export function specialTokens(directory: string, config: JsonObject): Readonly<Record<string, string>> {
  const mapPath = join(directory, "special_tokens_map.json");
  const map = existsSync(mapPath) ? readJsonObject(mapPath, jsonFileLimits.tokenizer) : {};
  const tokens: Record<string, string> = {};
  for (const role of roles) {
    const text = tokenText(config[role] ?? map[role]);
    if (text !== undefined) tokens[role] = text;
  }
  return tokens;
}

/** In configs, a token is its text, or an object with the text as `content`; undefined for anything else. */
export function tokenText(token: JsonValue | undefined): string | undefined {
  const text = isJsonObject(token) ? token.content : token;
  return typeof text === "string" ? text : undefined;
}
