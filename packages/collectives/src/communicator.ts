/** Element types that collectives move and reduce. */
export type CollectiveArray = Float32Array | Int32Array;

export type ReduceOperation = "sum" | "max";

/** Which algorithm an all-reduce uses; `auto` chooses by length and world size. */
export type Algorithm = "auto" | "ring" | "one-shot";

/**
 * One rank's end of a process group. Every rank calls the same collectives in the same order with the same
 * lengths, types and operations; a call that differs is `RR_MISMATCH` on every rank. Calls block the thread.
 *
 * After any error the group is poisoned: each later call on any rank throws the first cause.
 */
export interface Communicator {
  readonly rank: number;
  readonly worldSize: number;
  /** `data` becomes the elementwise sum (default) or maximum over ranks; the same bits on every rank. */
  allReduce<T extends CollectiveArray>(data: T, operation?: ReduceOperation): T;
  /**
   * Concatenates every rank's `part` in rank order. `counts` gives each rank's length and is needed only where
   * they differ; `out` is allocated if absent.
   */
  allGather<T extends CollectiveArray>(part: T, options?: { counts?: readonly number[]; out?: T }): T;
  /**
   * Reduces `data` over ranks and returns this rank's piece of the result: `counts[rank]` elements, near-even if
   * `counts` is absent.
   */
  reduceScatter<T extends CollectiveArray>(
    data: T,
    options?: { operation?: ReduceOperation; counts?: readonly number[] },
  ): T;
  /** `data` becomes root's `data` (default root 0) on every rank. */
  broadcast<T extends CollectiveArray>(data: T, root?: number): T;
  /** Returns once every rank has called it. */
  barrier(): void;
}
