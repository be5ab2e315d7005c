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
