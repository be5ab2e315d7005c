import type { Interval } from "@ringrank/model/weights";
import type { ValueShard } from "@ringrank/policy";

/** Owned elements `[first, first + length)` are token ids `[id, id + length)`. */
interface Span {
  readonly first: number;
  readonly id: number;
  readonly length: number;
  /** Where the span starts in the rank's local logits. */
  readonly local: number;
}

/**
 * The token ids that this rank is responsible for, so that every id is counted once.
 *
 * ```
 *  local logits:  rank 0 [0,5)   rank 1 [3,8)      owned:  rank 0 [0,5)   rank 1 [5,8)
 * ```
 *
 * If ranks overlap, the lowest rank owns an id. If every rank has the whole vocabulary, it is divided evenly, which
 * saves each rank most of the scan.
 */
export class VocabularyShare {
  readonly #spans: readonly Span[];
  /** Set in the usual case of a single span. */
  readonly #only: Span | undefined;
  /** Number of ids that this rank owns. */
  readonly size: number;
  /** Number of ids on all ranks. */
  readonly vocabulary: number;

  /** @param shard undefined if every rank has the whole vocabulary */
  constructor(vocabulary: number, shard: ValueShard | undefined, rank: number, worldSize: number) {
    this.vocabulary = vocabulary;
    this.#spans = shard ? ownedSpans(shard.intervals, rank) : [evenSpan(vocabulary, rank, worldSize)];
    this.#only = this.#spans.length === 1 ? this.#spans[0] : undefined;
    this.size = this.#spans.reduce((sum, span) => sum + span.length, 0);
  }

  /** The owned part of one row of local logits, by increasing id; a view if it is contiguous. */
  own(local: Float32Array): Float32Array {
    const only = this.#only;
    if (only !== undefined) return local.subarray(only.local, only.local + only.length);
    const owned = new Float32Array(this.size);
    for (const span of this.#spans)
      owned.set(local.subarray(span.local, span.local + span.length), span.first);
    return owned;
  }

  /** The token id of the first owned element, if those of the others follow. */
  get firstId(): number | undefined {
    return this.#only?.id;
  }

  /** The token id of an owned element. */
  id(element: number): number {
    if (this.#only !== undefined) return this.#only.id + element;
    const span = this.#spans.find(({ first, length }) => element < first + length)!;
    return span.id + element - span.first;
  }

  /** The owned element of a token id, or −1. */
  element(id: number): number {
    const span = this.#spans.find((candidate) => id >= candidate.id && id < candidate.id + candidate.length);
    return span === undefined ? -1 : span.first + id - span.id;
  }
}

function evenSpan(vocabulary: number, rank: number, worldSize: number): Span {
  const start = Math.floor((vocabulary * rank) / worldSize);
  const end = Math.floor((vocabulary * (rank + 1)) / worldSize);
  return { first: 0, id: start, length: end - start, local: start };
}

function ownedSpans(intervals: readonly (readonly Interval[])[], rank: number): Span[] {
  const taken = intervals.slice(0, rank).flat();
  const spans: Span[] = [];
  let local = 0;
  let first = 0;
  for (const [start, end] of intervals[rank]!) {
    for (const [id, stop] of without([start, end], taken)) {
      spans.push({ first, id, length: stop - id, local: local + id - start });
      first += stop - id;
    }
    local += end - start;
  }
  return spans;
}

/** The parts of `interval` that are in none of `taken`, in increasing order. */
function without(interval: Interval, taken: readonly Interval[]): Interval[] {
  let left: Interval[] = [interval];
  for (const [start, end] of taken) {
    left = left.flatMap(([from, to]): Interval[] => [
      [from, Math.min(to, start)],
      [Math.max(from, end), to],
    ]);
    left = left.filter(([from, to]) => from < to);
  }
  return left;
}
