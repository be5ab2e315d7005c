import { textField } from "../steps/fields.js";
import type { TokenizerJson } from "../tokenizer-json.js";
import type { TokenModel } from "./token-model.js";
import { idsByToken, noIdFor, tokensById } from "./vocabulary.js";

/** One token per piece (`models/wordlevel` of https://github.com/huggingface/tokenizers). */
export class WholeWords implements TokenModel {
  readonly #ids: ReadonlyMap<string, number>;
  readonly tokens: ReadonlyMap<number, string>;
  readonly #unknown: number | undefined;

  constructor(model: TokenizerJson["model"]) {
    this.#ids = idsByToken(model);
    this.tokens = tokensById(this.#ids);
    this.#unknown = this.#ids.get(textField(model, "unk_token", "<unk>"));
  }

  tokenize(piece: string, ids: number[]): void {
    const id = this.#ids.get(piece) ?? this.#unknown;
    if (id === undefined) throw noIdFor(piece);
    ids.push(id);
  }
}
