import { adjustedLogit } from "./adjusted-logits.js";
import type { OpenRow } from "./local-row.js";
import type { RowSummary } from "./row-summary.js";

/**
 * The candidates of all ranks in one order, best first, ties to the lowest id. They are merged only as far as is
 * requested, and only while it is certain that none is missing in between, which is down to the last candidate of a
 * rank that has others.
 */
export class KnownCandidates {
  /** How many have been merged. */
  count = 0;
  readonly ids: Int32Array;
  readonly logits: Float32Array;
  /** Logits after penalty, constraint and temperature. */
  readonly scores: Float64Array;
  readonly #row: OpenRow;
  readonly #summaries: readonly RowSummary[];
  /** The divisor of logits. */
  readonly #divisor: number;
  /** By rank: how many of its candidates have been merged, and the score of the next. */
  readonly #merged: Int32Array;
  readonly #next: Float64Array;

  constructor(row: OpenRow, summaries: readonly RowSummary[]) {
    let most = 0;
    for (const { count } of summaries) most += count;
    this.ids = new Int32Array(most);
    this.logits = new Float32Array(most);
    this.scores = new Float64Array(most);
    this.#row = row;
    this.#summaries = summaries;
    this.#divisor = row.strategy === "greedy" ? 1 : row.sampling.temperature;
    this.#merged = new Int32Array(summaries.length);
    this.#next = new Float64Array(summaries.length);
    for (let rank = 0; rank < summaries.length; rank++) this.#score(rank);
  }

  /**
   * Merges until there are `count`, if that many are known.
   *
   * @returns whether there are
   */
  reach(count: number): boolean {
    while (this.count < count) {
      const rank = this.#best();
      if (rank === -1) return false;
      const summary = this.#summaries[rank]!;
      const candidate = this.#merged[rank]!++;
      this.ids[this.count] = summary.id(candidate);
      this.logits[this.count] = summary.logit(candidate);
      this.scores[this.count] = this.#next[rank]!;
      this.count++;
      this.#score(rank);
    }
    return true;
  }

  /** Whether all tokens that can be chosen have been merged. */
  get isAll(): boolean {
    return this.#summaries.every(
      ({ count, isExhausted }, rank) => isExhausted && this.#merged[rank] === count,
    );
  }

  /** The rank with the best unmerged candidate; −1 if none is left, or if the best one may be unknown. */
  #best(): number {
    let best = -1;
    for (let rank = 0; rank < this.#summaries.length; rank++) {
      const summary = this.#summaries[rank]!;
      if (this.#merged[rank] === summary.count) {
        if (summary.isExhausted) continue;
        return -1;
      }
      if (best === -1 || this.#isBetter(rank, best)) best = rank;
    }
    return best;
  }

  #isBetter(rank: number, other: number): boolean {
    const [score, than] = [this.#next[rank]!, this.#next[other]!];
    return score > than || (score === than && this.#nextId(rank) < this.#nextId(other));
  }

  #nextId(rank: number): number {
    return this.#summaries[rank]!.id(this.#merged[rank]!);
  }

  #score(rank: number): void {
    const summary = this.#summaries[rank]!;
    const candidate = this.#merged[rank]!;
    if (candidate === summary.count) return;
    this.#next[rank] =
      adjustedLogit(summary.id(candidate), summary.logit(candidate), this.#row) / this.#divisor;
  }
}
