import type { RingrankError } from "@ringrank/errors";

/** Element types that collectives move and reduce. */
export type CollectiveArray = Float32Array | Int32Array;

/**
 * `sum` rounds to fp32 after each addition and wraps in int32; `max` has −0 < +0. Both propagate NaN (whose
 * payload bits are not defined).
 */
export type ReduceOperation = "sum" | "max";

/** Which algorithm a collective uses; `auto` chooses by length and world size. */
export const algorithms = ["auto", "ring", "one-shot", "two-shot"] as const;
export type Algorithm = (typeof algorithms)[number];

export interface GatherOptions<T extends CollectiveArray> {
  /** Each rank's length; needed only where they differ. */
  readonly counts?: readonly number[];
  /** Where the result goes; allocated if absent. */
  readonly out?: T;
}

export interface ReduceScatterOptions {
  /** Default `sum`. */
  readonly operation?: ReduceOperation;
  /** Each rank's length of the result; near-even if absent. */
  readonly counts?: readonly number[];
}

/** Counts since joining. */
export interface CollectiveCounters {
  readonly collectives: number;
  /** Bytes of this rank's operands, summed over collectives. */
  readonly bytes: number;
  /** Milliseconds in which this rank waited for others; 0 unless it joined with `measureWaits`. */
  readonly waitedMs: number;
}

/**
 * One rank's end of a process group. Every rank calls the same collectives in the same order with the same
 * lengths, types and operations; a call that differs is `RR_MISMATCH` on every rank. Calls block the thread.
 *
 * After any error the group is poisoned: each later call on any rank throws the first cause.
 */
export interface Communicator {
  readonly rank: number;
  readonly worldSize: number;
  readonly counters: CollectiveCounters;
  /**
   * Something useful, a microsecond of it at most, that this rank does between two looks at those it waits for, if it
   * looks often: a rank that sleeps, or sees them at once, does not. It stays until another is set, calls no collective,
   * and fails the group with what it throws.
   */
  meanwhile: (() => void) | undefined;
  /** `data` becomes the elementwise sum (default) or maximum over ranks; the same bits on every rank. */
  allReduce<T extends CollectiveArray>(data: T, operation?: ReduceOperation): T;
  /** Concatenates every rank's `part` in rank order. `part` may be its own place in `out`. */
  allGather(part: Float32Array, options?: GatherOptions<Float32Array>): Float32Array;
  allGather(part: Int32Array, options?: GatherOptions<Int32Array>): Int32Array;
  /** Reduces `data` over ranks and returns this rank's piece of the result. `data` is left as it was. */
  reduceScatter(data: Float32Array, options?: ReduceScatterOptions): Float32Array;
  reduceScatter(data: Int32Array, options?: ReduceScatterOptions): Int32Array;
  /** `data` becomes root's `data` (default root 0) on every rank. */
  broadcast<T extends CollectiveArray>(data: T, root?: number): T;
  /** Returns once every rank has called it. */
  barrier(): void;
  /** Says that this rank is alive: call it during work that may outlast `stepTimeoutMs` between collectives. */
  progress(): void;
  /** Fails the group: ranks that wait now, and every later call on any rank, throw the group's first cause. */
  poison(error: RingrankError): void;
}
