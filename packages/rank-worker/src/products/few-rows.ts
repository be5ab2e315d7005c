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

/** The products of one step by the matrices in one memory: what the kernel is called with. Addresses are in bytes. */
interface Prepared<M extends Matrix> {
  readonly x: Float32Array;
  readonly targets: readonly Float32Array[];
  readonly rows: number;
  /** Floats of workspace, at {@link scratch}. */
  readonly needed: number;
  /** Undefined if no workspace is needed. */
  readonly scratch: Float32Array | undefined;
  /** Whether the rows are in other memory, so that they are copied to the beginning of the workspace. */
  readonly isCopied: boolean;
  /** The rows, and room for them in the form that is multiplied. */
  readonly near: number;
  readonly room: number;
  readonly calls: readonly Call<M>[];
}

/** One matrix, and the place of its result. */
interface Call<M extends Matrix> {
  readonly matrix: M;
  readonly out: number;
  readonly outBytes: number;
  /** The result in the workspace, if its target is in other memory. */
  readonly copied: Float32Array | undefined;
  readonly target: Float32Array;
}

/** A step's products of a few rows, by a kernel on the weights as they are in memory. */
export class FewRows<M extends Matrix> {
  readonly headStart: HeadStart;
  readonly #inMemories: readonly FewRowsInMemory<M>[];

  /** @param width elements of a row */
  constructor(width: number, memories: ReadonlyMap<RankKernels, readonly Placed<M>[]>, kernel: RowKernel<M>) {
    const inOrder = [...memories].flatMap(([kernels, placed]) =>
      placed.map(({ matrix }) => kernel.streamed(kernels, matrix)),
    );
    this.headStart = new HeadStart(inOrder);
    this.#inMemories = Array.from(
      memories,
      ([kernels, placed]) => new FewRowsInMemory(width, kernels, placed, kernel),
    );
  }

  /**
   * @param x the rows; if it and `targets` are those of the last call, addresses are not determined again
   * @returns false if there is no workspace
   */
  multiply(x: Float32Array, targets: readonly Float32Array[]): boolean {
    const all = this.#inMemories;
    for (let at = 0; at < all.length; at++) if (!all[at]!.multiply(x, targets)) return false;
    return true;
  }
}

/** Multiplies by the matrices in one memory, for which the rows are prepared once. */
class FewRowsInMemory<M extends Matrix> {
  readonly #width: number;
  readonly #kernels: RankKernels;
  readonly #placed: readonly Placed<M>[];
  readonly #kernel: RowKernel<M>;
  #prepared: Prepared<M> | undefined;

  constructor(width: number, kernels: RankKernels, placed: readonly Placed<M>[], kernel: RowKernel<M>) {
    this.#width = width;
    this.#kernels = kernels;
    this.#placed = placed;
    this.#kernel = kernel;
  }

  /** @returns false if there is no workspace */
  multiply(x: Float32Array, targets: readonly Float32Array[]): boolean {
    const prepared = this.#isAsBefore(x, targets) ? this.#prepared : this.#prepare(x, targets);
    this.#prepared = prepared;
    if (prepared === undefined) return false;
    const kernel = this.#kernel;
    const { rows, calls } = prepared;
    if (prepared.isCopied) prepared.scratch!.set(x);
    const from = kernel.prepare(this.#kernels, prepared.near, rows, prepared.room);
    for (let at = 0; at < calls.length; at++) {
      const { matrix, out, outBytes, copied, target } = calls[at]!;
      kernel.multiply(this.#kernels, from, rows, matrix, out, outBytes);
      if (copied !== undefined) copyRows(copied, matrix.rows, target, target.length / rows, matrix.offset);
    }
    return true;
  }

  #isAsBefore(x: Float32Array, targets: readonly Float32Array[]): boolean {
    const before = this.#prepared;
    if (before === undefined || before.x !== x || before.targets !== targets) return false;
    return before.needed === 0 || this.#kernels.scratch(before.needed) === before.scratch;
  }

  /** Returns undefined if there is no workspace. */
  #prepare(x: Float32Array, targets: readonly Float32Array[]): Prepared<M> | undefined {
    const kernels = this.#kernels;
    const rows = x.length / this.#width;
    const isElsewhere = (data: Float32Array) => !kernels.memory.holds(data);
    // One after the other: a copy of rows from other memory, the prepared rows, and results for other memory.
    const isCopied = isElsewhere(x);
    const room = isCopied ? x.length : 0;
    const behind = room + this.#kernel.roomFor(kernels, rows);
    const made = this.#placed.map(({ matrix, output }) =>
      isElsewhere(targets[output]!) ? rows * matrix.rows : 0,
    );
    const needed = behind + Math.max(...made);
    const scratch = needed === 0 ? undefined : kernels.scratch(needed);
    if (scratch === undefined && needed > 0) return undefined;
    const start = scratch?.byteOffset ?? 0;
    const calls = Array.from(this.#placed, ({ matrix, output }): Call<M> => {
      const target = targets[output]!;
      if (isElsewhere(target)) {
        const copied = scratch!.subarray(behind, behind + rows * matrix.rows);
        return { matrix, out: copied.byteOffset, outBytes: 4 * matrix.rows, copied, target };
      }
      const out = target.byteOffset + 4 * matrix.offset;
      return { matrix, out, outBytes: (4 * target.length) / rows, copied: undefined, target };
    });
    const near = isCopied ? start : x.byteOffset;
    return { x, targets, rows, needed, scratch, isCopied, near, room: start + 4 * room, calls };
  }
}
