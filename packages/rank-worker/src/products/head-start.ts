import type { RankKernels } from "../kernels/rank-kernels.js";

/** A matrix as a kernel reads it for one row: in several streams from beginning to end, side by side. */
export interface Streamed {
  readonly kernels: RankKernels;
  /** Where the first stream begins. */
  readonly values: number;
  readonly streams: number;
  /** Bytes of each. */
  readonly bytes: number;
}

/** Of each stream at once: 8 KiB of eight, half a microsecond. */
const turnBytes = 1024;

/** Of all streams together: what a core reads in some 70 µs, longer than most waits, and half of its own cache. */
const mostBytes = 2 ** 20;

/**
 * Brings the beginning of a product's matrices near, which a rank does while it waits for others before that product:
 * then it reads at its core's own speed what it would have to wait for.
 */
export class HeadStart {
  readonly #matrices: readonly Streamed[];
  #matrix = 0;
  /** Bytes of each stream that are near. */
  #near = 0;
  #left = mostBytes;

  constructor(matrices: readonly Streamed[]) {
    this.#matrices = matrices;
  }

  /** Forgets what is near: once the matrices have been read, what comes next has taken its place. */
  reset(): void {
    this.#matrix = 0;
    this.#near = 0;
    this.#left = mostBytes;
  }

  /** A little more, until it is enough. */
  readonly turn = (): void => {
    const matrix = this.#matrices[this.#matrix];
    if (matrix === undefined || this.#left <= 0) return;
    const { kernels, values, streams, bytes } = matrix;
    const from = this.#near;
    const to = Math.min(from + turnBytes, bytes);
    kernels.beginMatrix(values, streams, bytes, from, to);
    this.#left -= streams * (to - from);
    this.#near = to;
    if (to < bytes) return;
    this.#matrix++;
    this.#near = 0;
  };
}
