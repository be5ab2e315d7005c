import { fieldOf, textField } from "../steps/fields.js";
import type { TokenizerJson } from "../tokenizer-json.js";
import { Merges } from "./merges.js";
import type { TokenModel } from "./token-model.js";
import { idsByToken, idsOfBytes, noIdFor, tokensById } from "./vocabulary.js";

/** The most pieces whose ids are cached, and the length from which a piece is not, in UTF-16 units. */
const mostKnown = 10_000;
const longestKnown = 256;

/**
 * Byte-pair encoding: starts with the characters of a piece, and replaces pairs of neighbours by one token, in the
 * order of the list of merges (`models/bpe` of https://github.com/huggingface/tokenizers). `dropout`, which skips
 * merges at random, is for training, and ignored.
 */
export class BytePairs implements TokenModel {
  readonly #ids: ReadonlyMap<string, number>;
  readonly tokens: ReadonlyMap<number, string>;
  readonly #merges: Merges;
  readonly #prefix: string;
  readonly #suffix: string;
  readonly #unknown: string | undefined;
  readonly #fusesUnknown: boolean;
  readonly #fallsBackToBytes: boolean;
  readonly #ignoresMerges: boolean;
  readonly #known = new Map<string, readonly number[]>();

  constructor(model: TokenizerJson["model"]) {
    this.#ids = idsByToken(model);
    this.tokens = tokensById(this.#ids);
    this.#prefix = textField(model, "continuing_subword_prefix", "");
    this.#suffix = textField(model, "end_of_word_suffix", "");
    this.#merges = new Merges(fieldOf(model, "merges"), this.#ids, this.#prefix);
    this.#unknown = fieldOf(model, "unk_token") == null ? undefined : textField(model, "unk_token");
    this.#fusesUnknown = fieldOf(model, "fuse_unk") === true;
    this.#fallsBackToBytes = fieldOf(model, "byte_fallback") === true;
    this.#ignoresMerges = fieldOf(model, "ignore_merges") === true;
  }

  tokenize(piece: string, ids: number[]): void {
    const whole = this.#ignoresMerges ? this.#ids.get(piece) : undefined;
    if (whole !== undefined) {
      ids.push(whole);
      return;
    }
    for (const id of this.#idsOf(piece)) ids.push(id);
  }

  #idsOf(piece: string): readonly number[] {
    const known = this.#known.get(piece);
    if (known !== undefined) return known;
    const ids = this.#merges.apply(this.#characters(piece));
    if (piece.length < longestKnown) {
      if (this.#known.size === mostKnown) this.#known.clear();
      this.#known.set(piece, ids);
    }
    return ids;
  }

  /**
   * Ids of the characters of a piece. Without an unknown token, characters that are not in the vocabulary are left out.
   */
  #characters(piece: string): number[] {
    const ids: number[] = [];
    let unknown: number | undefined;
    const endUnknown = (): void => {
      if (unknown !== undefined) ids.push(unknown);
      unknown = undefined;
    };
    let at = 0;
    for (const character of piece) {
      const prefix = at === 0 ? "" : this.#prefix;
      at += character.length;
      const text = prefix + character + (at === piece.length ? this.#suffix : "");
      const id = this.#ids.get(text);
      const bytes = id === undefined && this.#fallsBackToBytes ? idsOfBytes(text, this.#ids) : undefined;
      if (id !== undefined) {
        endUnknown();
        ids.push(id);
      } else if (bytes !== undefined) {
        // As in Rust, a pending unknown token comes after these bytes, although its characters come before.
        ids.push(...bytes);
      } else if (this.#unknown !== undefined) {
        if (!this.#fusesUnknown) endUnknown();
        unknown = this.#ids.get(this.#unknown);
        if (unknown === undefined) throw noIdFor(character);
      }
    }
    endUnknown();
    return ids;
  }
}
