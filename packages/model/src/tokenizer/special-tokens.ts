import { isJsonObject, type JsonObject, type JsonValue } from "../files/json.js";

const roles = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

/**
 * Texts of special tokens, by the names of their roles.
 *
 * @param config of `readTokenizerConfig`
 */
export function specialTokens(config: JsonObject): Readonly<Record<string, string>> {
  const tokens: Record<string, string> = {};
  for (const role of roles) {
    const text = tokenText(config[role]);
    if (text !== undefined) tokens[role] = text;
  }
  return tokens;
}

/** In configs, a token is its text, or an object with the text as `content`; undefined for anything else. */
export function tokenText(token: JsonValue | undefined): string | undefined {
  const text = isJsonObject(token) ? token.content : token;
  return typeof text === "string" ? text : undefined;
}
