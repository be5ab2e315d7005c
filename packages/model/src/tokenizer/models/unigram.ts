import { fieldOf } from "../steps/fields.js";
import type { TokenizerJson } from "../tokenizer-json.js";
import { Trie } from "../trie.js";
import type { TokenModel } from "./token-model.js";
import { idsOfBytes, noIdFor } from "./vocabulary.js";

/** An unknown character's score is this much below the lowest score of all tokens. */
const unknownPenalty = 10;
/** Stands for the unknown token's id if there is none. */
const missing = -1;

/**
 * Splits a text into the tokens with the highest sum of scores (`models/unigram` of
 * https://github.com/huggingface/tokenizers; SentencePiece's `EncodeOptimized`).
 */
export class Unigram implements TokenModel {
  readonly #ids: ReadonlyMap<string, number>;
  readonly tokens: ReadonlyMap<number, string>;
  readonly #scores: readonly number[];
  readonly #trie = new Trie();
  readonly #unknown: number | undefined;
  readonly #unknownScore: number;
  readonly #fallsBackToBytes: boolean;

  constructor(model: TokenizerJson["model"]) {
    const { vocab } = model;
    if (!Array.isArray(vocab)) throw new Error('expected "model.vocab" to be a list');
    const entries = vocab as readonly (readonly [token: string, score: number])[];
    this.#ids = new Map(entries.map(([token], id) => [token, id]));
    this.tokens = new Map(entries.map(([token], id) => [id, token]));
    this.#scores = entries.map(([, score]) => score);
    for (const [token, id] of this.#ids) if (token !== "") this.#trie.add(token, id);
    this.#unknown = (fieldOf(model, "unk_id") as number | null | undefined) ?? undefined;
    this.#unknownScore = this.#scores.reduce((least, score) => Math.min(least, score), Infinity) - unknownPenalty;
    this.#fallsBackToBytes = fieldOf(model, "byte_fallback") === true;
  }

  tokenize(piece: string, ids: number[]): void {
    const starts = this.#startsOf(piece);
    for (let at = 1; at < starts.length; at += 1) {
      const text = piece.slice(starts[at - 1], starts[at]);
      const id = this.#ids.get(text);
      const bytes = id === undefined && this.#fallsBackToBytes ? idsOfBytes(text, this.#ids) : undefined;
      if (bytes !== undefined) for (const byte of bytes) ids.push(byte);
      else ids.push(id ?? this.#known(text));
    }
  }

  #known(text: string): number {
    if (this.#unknown === undefined) throw noIdFor(text);
    return this.#unknown;
  }

  /** The starts of the tokens of the best split, and the end of the text. A run of unknown characters is one token. */
  #startsOf(text: string): number[] {
    // By end position, in UTF-16 units, for the best split up to there: its score, and its last token's start and id.
    const scores = new Float64Array(text.length + 1);
    const starts = new Int32Array(text.length + 1).fill(-1);
    const tokens = new Int32Array(text.length + 1);
    const offer = (start: number, end: number, score: number, token: number): void => {
      const sum = scores[start]! + score;
      if (starts[end] !== -1 && sum <= scores[end]!) return;
      scores[end] = sum;
      starts[end] = start;
      tokens[end] = token;
    };
    let [start, next, hasSingle] = [0, 0, false];
    const found = (id: number, end: number): void => {
      offer(start, end, this.#scores[id]!, id);
      hasSingle ||= end === next;
    };
    for (; start < text.length; start = next) {
      next = start + (text.codePointAt(start)! > 0xffff ? 2 : 1);
      hasSingle = false;
      this.#trie.search(text, start, found);
      if (hasSingle) continue;
      offer(start, next, this.#unknownScore, this.#unknown ?? missing);
      if (tokens[next] === missing) throw noIdFor(text.slice(start, next));
    }
    const result = [text.length];
    for (let end = text.length; end > 0; end = starts[end]!) {
      const begin = starts[end]!;
      const isFused = begin > 0 && tokens[end] === this.#unknown && tokens[begin] === this.#unknown;
      if (!isFused) result.push(begin);
    }
    return result.reverse();
  }
}
