import type { RingrankError } from "@ringrank/errors";

/** The arrays that collectives move and reduce. */
export type CollectiveArray = Float32Array | Int32Array;

/**
 * `sum` rounds to fp32 after each addition, and wraps around in int32; `max` takes −0 to be less than +0. Both
 * propagate NaN, without defined payload bits.
 */
export type ReduceOperation = "sum" | "max";

/** Which algorithm a collective uses; `auto` chooses by length and world size. */
export const algorithms = ["auto", "ring", "one-shot", "two-shot"] as const;
export type Algorithm = (typeof algorithms)[number];

export interface GatherOptions<T extends CollectiveArray> {
  /** Length of each rank's part; only needed if they differ. */
  readonly counts?: readonly number[];
  /** Where the result goes. Default: a new array. */
  readonly out?: T;
}

export interface ReduceScatterOptions {
  /** Default `sum`. */
  readonly operation?: ReduceOperation;
  /** Length of each rank's piece of the result. Default: as even as possible. */
  readonly counts?: readonly number[];
}

/** Counted since this rank joined. */
export interface CollectiveCounters {
  readonly collectives: number;
  /** Bytes of this rank's operands, summed over collectives. */
  readonly bytes: number;
  /** Milliseconds that this rank waited for others; 0 unless it joined with `measureWaits`. */
  readonly waitedMs: number;
}

/**
 * One rank's handle on its process group. All ranks must call the same collectives in the same order, with the same
 * lengths, types and operations; a call that differs is `RR_MISMATCH` on every rank. Calls block the thread.
 *
 * After any error the group is poisoned: every later call on any rank throws the first cause.
 */
export interface Communicator {
  readonly rank: number;
  readonly worldSize: number;
  readonly counters: CollectiveCounters;
  /**
   * Useful work of at most a microsecond that this rank does between two looks at the ranks it waits for. It is not
   * called while this rank sleeps, nor if the others are there already. It stays set until it is replaced, must not
   * call a collective, and fails the group if it throws.
   */
  meanwhile: (() => void) | undefined;
  /** `data` becomes the elementwise sum (default) or maximum over ranks, with the same bits on every rank. */
  allReduce<T extends CollectiveArray>(data: T, operation?: ReduceOperation): T;
  /** Concatenates the ranks' parts in the order of ranks. `part` may already lie at its own place in `out`. */
  allGather(part: Float32Array, options?: GatherOptions<Float32Array>): Float32Array;
  allGather(part: Int32Array, options?: GatherOptions<Int32Array>): Int32Array;
  /** Reduces `data` over ranks and returns this rank's piece of the result. `data` is not changed. */
  reduceScatter(data: Float32Array, options?: ReduceScatterOptions): Float32Array;
  reduceScatter(data: Int32Array, options?: ReduceScatterOptions): Int32Array;
  /** `data` becomes root's `data` (default root 0) on every rank. */
  broadcast<T extends CollectiveArray>(data: T, root?: number): T;
  /** Returns once every rank has called it. */
  barrier(): void;
  /**
   * Reports that this rank is alive. Call it during work that may take longer than `stepTimeoutMs` between collectives.
   */
  progress(): void;
  /** Fails the group: waiting ranks, and every later call on any rank, throw the group's first cause. */
  poison(error: RingrankError): void;
}
