import { RingrankError } from "@ringrank/errors";
import { fieldOf } from "../steps/fields.js";
import type { TokenizerJson } from "../tokenizer-json.js";
import { BytePairs } from "./byte-pairs.js";
import { Unigram } from "./unigram.js";
import { WholeWords } from "./whole-words.js";
import { WordPieces } from "./word-pieces.js";

/** Turns pieces of a text, such as words, into tokens. */
export interface TokenModel {
  /** Texts of tokens by their ids. */
  readonly tokens: ReadonlyMap<number, string>;
  /**
   * Appends the ids of a piece, which must not be empty.
   *
   * @throws RR_INPUT if there is no id for some of the text
   */
  tokenize(piece: string, ids: number[]): void;
}

/**
 * The `model` of a tokenizer.json (`models` of https://github.com/huggingface/tokenizers). Old files do not have a
 * type.
 *
 * @throws Error for an unknown model
 */
export function tokenModelOf(model: TokenizerJson["model"]): TokenModel {
  const type = model.type ?? typeOf(model);
  switch (type) {
    case "BPE":
      return new BytePairs(model);
    case "Unigram":
      return new Unigram(model);
    case "WordPiece":
      return new WordPieces(model);
    case "WordLevel":
      return new WholeWords(model);
    default:
      throw new Error(`Unknown TokenizerModel type: ${type}`);
  }
}

function typeOf(model: TokenizerJson["model"]): string {
  if (Array.isArray(model.vocab)) return "Unigram";
  if (fieldOf(model, "merges") !== undefined) return "BPE";
  return fieldOf(model, "continuing_subword_prefix") === undefined ? "WordLevel" : "WordPiece";
}

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
