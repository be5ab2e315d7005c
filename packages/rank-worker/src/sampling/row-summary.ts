import { type ExponentialSum, emptySum } from "./exponential-sum.js";

/**
 * What one rank says about its part of one row, in 32-bit words that cross between ranks:
 *
 * ```
 * word  0       1       2         4       6         8       10
 *      ┌───────┬───────┬─────────┬───────┬─────────┬───────┬──────────────────────┐
 *      │ flags │ count │ raw.max │  .sum │ adj.max │  .sum │ room × (id, logit)   │
 *      └───────┴───────┴─────────┴───────┴─────────┴───────┴──────────────────────┘
 *       int32   int32   float64   float64 float64   float64  int32, float32
 * ```
 *
 * It is read where it lies: as objects, each with its candidates, summaries were most of what choosing a token cost.
 */
export class RowSummary {
  /** How many candidates there may be. */
  readonly room: number;
  readonly #words: Int32Array;
  /** The same memory. */
  readonly #floats: Float32Array;
  readonly #doubles: Float64Array;

  /** How many words a summary takes: an even number. */
  static words(room: number): number {
    return headerWords + candidateWords * room;
  }

  /** @param start the word of `words` where it begins: 8 bytes, or a multiple of them, from where the memory does */
  constructor(words: Int32Array, start: number, room: number) {
    const [buffer, offset] = [words.buffer, words.byteOffset + 4 * start];
    this.room = room;
    this.#words = new Int32Array(buffer, offset, RowSummary.words(room));
    this.#floats = new Float32Array(buffer, offset, RowSummary.words(room));
    this.#doubles = new Float64Array(buffer, offset, headerWords / 2);
  }

  /** Whether a logit is NaN or +∞. A logit of −∞ is a token that cannot be chosen. */
  get isBroken(): boolean {
    return (this.#words[0]! & brokenFlag) !== 0;
  }

  set isBroken(isBroken: boolean) {
    this.#set(brokenFlag, isBroken);
  }

  /** Whether the rank has no other candidates. */
  get isExhausted(): boolean {
    return (this.#words[0]! & exhaustedFlag) !== 0;
  }

  set isExhausted(isExhausted: boolean) {
    this.#set(exhaustedFlag, isExhausted);
  }

  /** Of the raw logits; empty unless a logprob is wanted. */
  get raw(): ExponentialSum {
    return this.#sum(1);
  }

  set raw(sum: ExponentialSum) {
    this.#setSum(1, sum);
  }

  /** Of the logits after penalty, constraint and temperature; empty unless top-p needs it. */
  get adjusted(): ExponentialSum {
    return this.#sum(3);
  }

  set adjusted(sum: ExponentialSum) {
    this.#setSum(3, sum);
  }

  /** How many candidates there are: the best of this rank, best first. */
  get count(): number {
    return this.#words[1]!;
  }

  id(candidate: number): number {
    return this.#words[headerWords + candidateWords * candidate]!;
  }

  /** As the model gave it, before penalty, constraint and temperature. */
  logit(candidate: number): number {
    return this.#floats[headerWords + candidateWords * candidate + 1]!;
  }

  /** Adds the next best. */
  add(id: number, logit: number): void {
    const at = headerWords + candidateWords * this.count;
    this.#words[at] = id;
    this.#floats[at + 1] = logit;
    this.#words[1]!++;
  }

  #set(flag: number, isSet: boolean): void {
    this.#words[0] = isSet ? this.#words[0]! | flag : this.#words[0]! & ~flag;
  }

  /** One without terms has a sum of 0, as a summary has at first. */
  #sum(at: number): ExponentialSum {
    const sum = this.#doubles[at + 1]!;
    return sum === 0 ? emptySum : { max: this.#doubles[at]!, sum };
  }

  #setSum(at: number, { max, sum }: ExponentialSum): void {
    this.#doubles[at] = max;
    this.#doubles[at + 1] = sum;
  }
}

const headerWords = 10;
const candidateWords = 2;
const brokenFlag = 1;
const exhaustedFlag = 2;
