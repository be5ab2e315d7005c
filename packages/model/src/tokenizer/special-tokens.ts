import { isJsonObject, type JsonObject, type JsonValue } from "../files/json.js";

/**
 * Texts of special tokens by their names, which chat templates use: roles, such as `bos_token`, and a model's own names,
 * such as `image_token`. As in transformers, any field with such an end is one, and so is each of a dictionary
 * `extra_special_tokens`.
 *
 * @param config of `readTokenizerConfig`
 */
export function specialTokens(config: JsonObject): Readonly<Record<string, string>> {
  const { extra_special_tokens: extra } = config;
  const named = Object.entries(config).filter(([name]) => name.endsWith("_token"));
  const own = isJsonObject(extra) ? Object.entries(extra) : [];
  return Object.fromEntries(
    [...named, ...own].flatMap(([name, token]) => {
      const text = tokenText(token);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

/** In configs, a token is its text, or an object with the text as `content`; undefined for anything else. */
export function tokenText(token: JsonValue | undefined): string | undefined {
  const text = isJsonObject(token) ? token.content : token;
  return typeof text === "string" ? text : undefined;
}
