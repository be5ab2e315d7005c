import type { RankKernels } from "../kernels/rank-kernels.js";
import { copyRows } from "./copy-rows.js";
import { HeadStart, type Streamed } from "./head-start.js";
import type { Matrix } from "./matrix.js";
import type { Placed } from "./placed.js";

/** Multiplies a few rows by matrices of one kind. Addresses are bytes of the kernels' memory. */
export interface RowKernel<M extends Matrix> {
  /** Floats that {@link prepare} needs for this many rows. */
  roomFor(kernels: RankKernels, rows: number): number;
  /**
   * Converts rows to the form that is multiplied.
   *
   * @param room workspace for it
   * @returns their address in that form
   */
  prepare(kernels: RankKernels, x: number, rows: number, room: number): number;
  /**
   * @param x the result of `prepare`
   * @param outBytes bytes between rows of `out`
   */
  multiply(kernels: RankKernels, x: number, rows: number, matrix: M, out: number, outBytes: number): void;
  /** How it reads a matrix for one row. */
  streamed(kernels: RankKernels, matrix: M): Streamed;
}

/** A step's products of a few rows, by a kernel on the weights as they are in memory. */
export class FewRows<M extends Matrix> {
  readonly headStart: HeadStart;
  readonly #width: number;
  readonly #memories: ReadonlyMap<RankKernels, readonly Placed<M>[]>;
  readonly #kernel: RowKernel<M>;

  /** @param width elements of a row */
  constructor(width: number, memories: ReadonlyMap<RankKernels, readonly Placed<M>[]>, kernel: RowKernel<M>) {
    this.#width = width;
    this.#memories = memories;
    this.#kernel = kernel;
    const inOrder = [...memories].flatMap(([kernels, placed]) =>
      placed.map(({ matrix }) => kernel.streamed(kernels, matrix)),
    );
    this.headStart = new HeadStart(inOrder);
  }

  /** @returns false if there is no workspace */
  multiply(x: Float32Array, targets: readonly Float32Array[]): boolean {
    for (const [kernels, placed] of this.#memories) {
      if (!this.#multiplyIn(kernels, placed, x, targets)) return false;
    }
    return true;
  }

  /** Multiplies by the matrices in one memory, for which the rows are prepared once. */
  #multiplyIn(
    kernels: RankKernels,
    placed: readonly Placed<M>[],
    x: Float32Array,
    targets: readonly Float32Array[],
  ): boolean {
    const rows = x.length / this.#width;
    const isElsewhere = (data: Float32Array) => !kernels.memory.holds(data);
    // One after the other: a copy of rows from other memory, the prepared rows, and results for other memory.
    const copied = isElsewhere(x) ? x.length : 0;
    const behind = copied + this.#kernel.roomFor(kernels, rows);
    const made = placed.map(({ matrix, output }) => (isElsewhere(targets[output]!) ? rows * matrix.rows : 0));
    const needed = behind + Math.max(...made);
    const scratch = needed === 0 ? undefined : kernels.scratch(needed);
    if (scratch === undefined && needed > 0) return false;
    if (copied > 0) scratch!.set(x);
    const start = scratch?.byteOffset ?? 0;
    const near = copied > 0 ? start : x.byteOffset;
    const prepared = this.#kernel.prepare(kernels, near, rows, start + 4 * copied);
    for (const { matrix, output } of placed) {
      const target = targets[output]!;
      const width = target.length / rows;
      if (isElsewhere(target)) {
        const room = scratch!.subarray(behind, behind + rows * matrix.rows);
        this.#kernel.multiply(kernels, prepared, rows, matrix, room.byteOffset, 4 * matrix.rows);
        copyRows(room, matrix.rows, target, width, matrix.offset);
      } else {
        const out = target.byteOffset + 4 * matrix.offset;
        this.#kernel.multiply(kernels, prepared, rows, matrix, out, 4 * width);
      }
    }
    return true;
  }
}
