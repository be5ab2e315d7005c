import { type ExponentialSum, emptySum } from "./exponential-sum.js";

/**
 * One rank's summary of its part of one row, in 32-bit words that cross between ranks:
 *
 * ```
 * word  0       1       2         4       6         8       10
 *      ┌───────┬───────┬─────────┬───────┬─────────┬───────┬──────────────────────┐
 *      │ flags │ count │ raw.max │  .sum │ adj.max │  .sum │ room × (id, logit)   │
 *      └───────┴───────┴─────────┴───────┴─────────┴───────┴──────────────────────┘
 *       int32   int32   float64   float64 float64   float64  int32, float32
 * ```
 *
 * It is read in place: as objects, each with its candidates, summaries were most of the cost of choosing a token.
 */
export class RowSummary {
  /** The most candidates. */
  readonly room: number;
  readonly #words: Int32Array;
  /** The same memory. */
  readonly #floats: Float32Array;
  readonly #doubles: Float64Array;

  /** The number of words of a summary, which is even. */
  static words(room: number): number {
    return headerWords + candidateWords * room;
  }

  /** @param start the word at which it starts; a multiple of 8 bytes from the start of the memory */
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

  /** For the raw logits; empty unless a logprob is requested. */
  get raw(): ExponentialSum {
    return this.#sum(1);
  }

  set raw(sum: ExponentialSum) {
    this.#setSum(1, sum);
  }

  /** For the logits after penalty, constraint and temperature; empty unless top-p needs it. */
  get adjusted(): ExponentialSum {
    return this.#sum(3);
  }

  set adjusted(sum: ExponentialSum) {
    this.#setSum(3, sum);
  }

  /** The number of candidates: the best of this rank, best first. */
  get count(): number {
    return this.#words[1]!;
  }

  id(candidate: number): number {
    return this.#words[headerWords + candidateWords * candidate]!;
  }

  /** The model's logit, before penalty, constraint and temperature. */
  logit(candidate: number): number {
    return this.#floats[headerWords + candidateWords * candidate + 1]!;
  }

  /** Adds the next best candidate. */
  add(id: number, logit: number): void {
    const at = headerWords + candidateWords * this.count;
    this.#words[at] = id;
    this.#floats[at + 1] = logit;
    this.#words[1]!++;
  }

  #set(flag: number, isSet: boolean): void {
    this.#words[0] = isSet ? this.#words[0]! | flag : this.#words[0]! & ~flag;
  }

  /** A sum without terms is 0, which is also the initial value. */
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
