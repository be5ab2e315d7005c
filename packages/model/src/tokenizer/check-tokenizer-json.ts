import { RingrankError } from "@ringrank/errors";

/**
 * Checks what the tokenizer library takes for granted where it would index an array by what it reads: the ids
 * of `model.vocab` and `added_tokens`. It checks the rest itself.
 *
 * @throws RR_FILE_FORMAT
 */
export function checkTokenizerJson(json: unknown, path: string): asserts json is object {
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
  } else if (!vocab.every((entry) => Array.isArray(entry) && typeof entry[0] === "string")) {
    throw bad('"model.vocab" to be a list of [token, score]');
  }
  if (!Array.isArray(addedTokens)) throw bad('"added_tokens" to be a list');
  for (const token of addedTokens) {
    if (!isRecord(token) || !isTokenId(token.id) || typeof token.content !== "string") {
      throw bad(`an added token with an id and a content, got ${JSON.stringify(token)}`);
    }
  }
}

function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
