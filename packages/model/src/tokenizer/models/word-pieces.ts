import { countField, textField } from "../steps/fields.js";
import type { TokenizerJson } from "../tokenizer-json.js";
import type { TokenModel } from "./token-model.js";
import { idsByToken, noIdFor, tokensById } from "./vocabulary.js";

/**
 * Takes the longest token at the beginning of a word, then of the rest, and so on; the unknown token if no token fits
 * somewhere (`models/wordpiece` of https://github.com/huggingface/tokenizers).
 */
export class WordPieces implements TokenModel {
  readonly #ids: ReadonlyMap<string, number>;
  readonly tokens: ReadonlyMap<number, string>;
  readonly #unknown: number | undefined;
  readonly #prefix: string;
  readonly #mostCharacters: number;

  constructor(model: TokenizerJson["model"]) {
    this.#ids = idsByToken(model);
    this.tokens = tokensById(this.#ids);
    this.#unknown = this.#ids.get(textField(model, "unk_token", "[UNK]"));
    this.#prefix = textField(model, "continuing_subword_prefix", "##");
    this.#mostCharacters = countField(model, "max_input_chars_per_word", 0, 100);
  }

  tokenize(piece: string, ids: number[]): void {
    const found = this.#pieces(piece);
    if (found !== undefined) {
      for (const id of found) ids.push(id);
      return;
    }
    if (this.#unknown === undefined) throw noIdFor(piece);
    ids.push(this.#unknown);
  }

  #pieces(word: string): number[] | undefined {
    // A character has at most two units. This avoids splitting a long text into characters.
    if (word.length > 2 * this.#mostCharacters) return undefined;
    const characters = [...word];
    if (characters.length > this.#mostCharacters) return undefined;
    const ids: number[] = [];
    let start = 0;
    while (start < characters.length) {
      let end = characters.length;
      let id: number | undefined;
      for (; end > start && id === undefined; end -= 1) {
        const text = characters.slice(start, end).join("");
        id = this.#ids.get(start === 0 ? text : this.#prefix + text);
      }
      if (id === undefined) return undefined;
      ids.push(id);
      start = end + 1;
    }
    return ids;
  }
}
