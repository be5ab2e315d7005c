import { RingrankError } from "@ringrank/errors";
import type { TokenizerJson } from "../tokenizer-json.js";

/** Ids by token, from a vocabulary in this form. */
export function idsByToken({ vocab }: TokenizerJson["model"]): Map<string, number> {
  if (Array.isArray(vocab)) throw new Error('expected "model.vocab" to be an object');
  return new Map(Object.entries(vocab as Readonly<Record<string, number>>));
}

/** The inverse map. */
export function tokensById(ids: ReadonlyMap<string, number>): Map<number, string> {
  const tokens = new Map<number, string>();
  for (const [token, id] of ids) tokens.set(id, token);
  return tokens;
}

export function noIdFor(text: string): RingrankError {
  return new RingrankError(
    "RR_INPUT",
    `the tokenizer has no id for ${JSON.stringify(text)}, and no unknown token: ` +
      "remove it from the text, or pass token ids",
  );
}

/** Ids of tokens such as `<0x0A>`, one for each byte of a text; undefined if one of them is not in the vocabulary. */
export function idsOfBytes(text: string, ids: ReadonlyMap<string, number>): number[] | undefined {
  const result: number[] = [];
  for (const byte of Buffer.from(text, "utf8")) {
    const id = ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    if (id === undefined) return undefined;
    result.push(id);
  }
  return result;
}
