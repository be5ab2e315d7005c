import type { RingrankError } from "@ringrank/errors";

/** The array types that collectives move and reduce. */
export type CollectiveArray = Float32Array | Int32Array;

/**
 * `sum` rounds to fp32 after each addition, and wraps around in int32. `max` orders −0 below +0. Both propagate NaN,
 * without defined payload bits.
 */
export type ReduceOperation = "sum" | "max";

/** Which algorithm a collective uses; `auto` chooses by length and world size. */
export const algorithms = ["auto", "ring", "one-shot", "two-shot"] as const;
export type Algorithm = (typeof algorithms)[number];

export interface GatherOptions<T extends CollectiveArray> {
  /** Length of each rank's part. Only needed if the lengths differ. */
  readonly counts?: readonly number[] | undefined;
  /** Receives the result. Default: a new array. */
  readonly out?: T | undefined;
}

export interface ReduceScatterOptions {
  /** Default `sum`. */
  readonly operation?: ReduceOperation | undefined;
  /** Length of each rank's piece of the result. Default: as even as possible. */
  readonly counts?: readonly number[] | undefined;
}

/** Counted since this rank joined. */
export interface CollectiveCounters {
  readonly collectives: number;
  /** Bytes of this rank's operands, summed over collectives. */
  readonly bytes: number;
  /** Milliseconds that this rank has waited for others. 0 unless it joined with `measureWaits`. */
  readonly waitedMs: number;
}

export interface ReduceOptions {
  /** `float32`: a sum that crosses as it is, whatever the group's wire. */
  readonly wire?: "float32" | undefined;
}

/**
 * One rank's handle on its process group. All ranks must call the same collectives in the same order, with the same
 * lengths, types and operations. A call that differs fails with `RR_MISMATCH` on every rank. Calls block the thread.
 *
 * An error poisons the group: every later call on any rank throws the first cause.
 */
export interface Communicator {
  readonly rank: number;
  readonly worldSize: number;
  readonly counters: CollectiveCounters;
  /**
   * Useful work of at most a microsecond, which this rank does between polls while it waits for other ranks. It is not
   * called while this rank sleeps, or if the others are already there. It remains set until it is replaced. If it
   * throws, or calls a collective, the group fails.
   */
  meanwhile: (() => void) | undefined;
  /** Replaces `data` with the elementwise sum (default) or maximum over ranks. All ranks get the same bits. */
  allReduce<T extends CollectiveArray>(data: T, operation?: ReduceOperation, options?: ReduceOptions): T;
  /** Concatenates the parts of all ranks in rank order. `part` may already be at its own place in `out`. */
  allGather(part: Float32Array, options?: GatherOptions<Float32Array>): Float32Array;
  allGather(part: Int32Array, options?: GatherOptions<Int32Array>): Int32Array;
  /** Reduces `data` over ranks and returns this rank's piece of the result. Does not change `data`. */
  reduceScatter(data: Float32Array, options?: ReduceScatterOptions): Float32Array;
  reduceScatter(data: Int32Array, options?: ReduceScatterOptions): Int32Array;
  /** Replaces `data` with root's `data` (default root 0) on every rank. */
  broadcast<T extends CollectiveArray>(data: T, root?: number): T;
  /** Returns once every rank has called it. */
  barrier(): void;
  /**
   * Reports that this rank is alive. Call it during work between collectives that may take longer than `stepTimeoutMs`.
   */
  progress(): void;
  /** Fails the group: waiting ranks, and every later call on any rank, throw the group's first cause. */
  poison(error: RingrankError): void;
}
