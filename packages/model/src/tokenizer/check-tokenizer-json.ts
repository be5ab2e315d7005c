import { RingrankError } from "@ringrank/errors";
import type { AddedToken, TokenizerJson } from "./tokenizer-json.js";

/**
 * Checks the vocabulary and the added tokens of a tokenizer.json. The code that reads the other parts checks them.
 *
 * @throws RR_FILE_FORMAT
 */
export function checkTokenizerJson(json: unknown, path: string): asserts json is TokenizerJson {
  const bad = (what: string) => new RingrankError("RR_FILE_FORMAT", `${path}: expected ${what}`);
  if (!isRecord(json)) throw bad("a JSON object");
  const { model, added_tokens: addedTokens } = json;
  if (!isRecord(model)) throw bad('"model" to be an object');
  const { vocab } = model;
  if (isRecord(vocab)) {
    for (const [token, id] of Object.entries(vocab)) {
      if (!isTokenId(id))
        throw bad(`an id for the token ${JSON.stringify(token)}, got ${JSON.stringify(id)}`);
    }
  } else if (!Array.isArray(vocab)) {
    throw bad('"model.vocab" to be an object or a list');
  } else if (!vocab.every(isScoredToken)) {
    throw bad('"model.vocab" to be a list of [token, score]');
  } else if (model.unk_id != null && !(isTokenId(model.unk_id) && model.unk_id < vocab.length)) {
    throw bad(`"model.unk_id" to be one of the ${vocab.length} tokens, got ${JSON.stringify(model.unk_id)}`);
  }
  if (!Array.isArray(addedTokens)) throw bad('"added_tokens" to be a list');
  for (const token of addedTokens) checkAddedToken(token, path);
}

/**
 * @param where names the file in errors
 * @throws RR_FILE_FORMAT if it is not an added token
 */
export function checkAddedToken(token: unknown, where: string): AddedToken {
  const bad = (what: string) => new RingrankError("RR_FILE_FORMAT", `${where}: expected ${what}`);
  if (!isRecord(token) || !isTokenId(token.id) || typeof token.content !== "string") {
    throw bad(`an added token with an id and a content, got ${JSON.stringify(token)}`);
  }
  return token as unknown as AddedToken;
}

function isScoredToken(entry: unknown): boolean {
  return Array.isArray(entry) && typeof entry[0] === "string" && Number.isFinite(entry[1]);
}

function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
