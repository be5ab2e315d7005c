import type { RankKernels } from "../kernels/rank-kernels.js";

/** A matrix as a kernel reads it for one row: in several parallel streams, from beginning to end. */
export interface Streamed {
  readonly kernels: RankKernels;
  /** The start of the first stream. */
  readonly values: number;
  readonly streams: number;
  /** Bytes of each stream. */
  readonly bytes: number;
}

/** Bytes of each stream to prefetch at a time: 8 KiB for eight streams, which takes half a microsecond. */
const advanceBytes = 1024;

/**
 * Bytes of all streams together: what a core reads in about 70 µs, which is longer than most waits, and half of its own
 * cache.
 */
const mostBytes = 2 ** 20;

/**
 * Prefetches the beginning of a product's matrices while the rank waits for others before that product. The rank then
 * reads it at cache speed, instead of waiting for memory.
 */
export class HeadStart {
  readonly #matrices: readonly Streamed[];
  #matrix = 0;
  /** Bytes of each stream that have been prefetched. */
  #near = 0;
  #left = mostBytes;

  constructor(matrices: readonly Streamed[]) {
    this.#matrices = matrices;
  }

  /** Starts again: once the matrices have been read, other data has replaced the prefetched bytes. */
  reset(): void {
    this.#matrix = 0;
    this.#near = 0;
    this.#left = mostBytes;
  }

  /** Prefetches a little more, until it is enough. */
  readonly advance = (): void => {
    const matrix = this.#matrices[this.#matrix];
    if (matrix === undefined || this.#left <= 0) return;
    const { kernels, values, streams, bytes } = matrix;
    const from = this.#near;
    const to = Math.min(from + advanceBytes, bytes);
    kernels.beginMatrix(values, streams, bytes, from, to);
    this.#left -= streams * (to - from);
    this.#near = to;
    if (to < bytes) return;
    this.#matrix++;
    this.#near = 0;
  };
}
