import type { KernelCall } from "../kernels/kernel-call.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { copyRows, type PartOfRows, type Rows } from "./copy-rows.js";
import { HeadStart, type Streamed } from "./head-start.js";
import type { Matrix } from "./matrix.js";
import type { Placed } from "./placed.js";

/** How a few rows are multiplied by matrices of one kind. Addresses are bytes of the kernels' memory. */
export interface RowKernel<M extends Matrix> {
  /** Floats that {@link prepare} needs for this many rows. */
  roomFor(kernels: RankKernels, rows: number): number;
  /**
   * The call that converts rows to the form that is multiplied; undefined if they are multiplied as they are.
   *
   * @param room workspace for it, and the address of the result
   */
  prepare(kernels: RankKernels, x: number, rows: number, room: number): KernelCall | undefined;
  multiply(kernels: RankKernels, rows: ConvertedRows, matrix: M, to: OutputRows): KernelCall;
  /** How it reads a matrix for one row. */
  streamed(kernels: RankKernels, matrix: M): Streamed;
}

/** Rows in the form that is multiplied. */
interface ConvertedRows {
  readonly x: number;
  readonly rows: number;
}

/** Where products are written to. */
interface OutputRows {
  readonly out: number;
  /** From one row to the next. */
  readonly outBytes: number;
}

/** The products of one step by the matrices in one memory: what kernels are called with. */
interface Prepared {
  readonly x: Float32Array;
  readonly targets: readonly Float32Array[];
  /** Floats of workspace, at {@link scratch}. */
  readonly needed: number;
  /** Undefined if no workspace is needed. */
  readonly scratch: Float32Array | undefined;
  /** Whether the rows are in other memory, so that they are copied to the beginning of the workspace. */
  readonly isCopied: boolean;
  /** In order. */
  readonly calls: readonly KernelCall[];
  /** Results in the workspace whose targets are in other memory. */
  readonly copies: readonly Copy[];
}

interface Copy {
  readonly from: Rows;
  readonly to: PartOfRows;
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

  /** The kernel calls of the last multiplication; undefined if it did more, or in memory of other kernels. */
  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    const [only, ...others] = this.#inMemories;
    return others.length === 0 ? only?.lastCalls(kernels) : undefined;
  }
}

/** Multiplies by the matrices in one memory, for which the rows are prepared once. */
class FewRowsInMemory<M extends Matrix> {
  readonly #width: number;
  readonly #kernels: RankKernels;
  readonly #placed: readonly Placed<M>[];
  readonly #kernel: RowKernel<M>;
  #prepared: Prepared | undefined;

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
    if (prepared.isCopied) prepared.scratch!.set(x);
    for (const call of prepared.calls) this.#kernels.make(call);
    for (const { from, to } of prepared.copies) copyRows(from, to);
    return true;
  }

  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    const prepared = this.#prepared;
    if (prepared === undefined || kernels !== this.#kernels) return undefined;
    return prepared.isCopied || prepared.copies.length > 0 ? undefined : prepared.calls;
  }

  #isAsBefore(x: Float32Array, targets: readonly Float32Array[]): boolean {
    const before = this.#prepared;
    if (before === undefined || before.x !== x || before.targets !== targets) return false;
    return before.needed === 0 || this.#kernels.scratch(before.needed) === before.scratch;
  }

  /** Returns undefined if there is no workspace. */
  #prepare(x: Float32Array, targets: readonly Float32Array[]): Prepared | undefined {
    const kernels = this.#kernels;
    const rows = x.length / this.#width;
    const isElsewhere = (data: Float32Array) => !kernels.memory.holds(data);
    // The workspace: a copy of rows from other memory, the prepared rows, and results for other memory.
    const isCopied = isElsewhere(x);
    const room = isCopied ? x.length : 0;
    let needed = room + this.#kernel.roomFor(kernels, rows);
    const places = this.#placed.map(({ matrix, output }) => {
      const target = targets[output]!;
      if (!isElsewhere(target)) return { matrix, target };
      // Where in the workspace the result is.
      const made = needed;
      needed += rows * matrix.rows;
      return { matrix, target, made };
    });
    const scratch = needed === 0 ? undefined : kernels.scratch(needed);
    if (scratch === undefined && needed > 0) return undefined;
    const start = scratch?.byteOffset ?? 0;
    const converted = start + 4 * room;
    const near = isCopied ? start : x.byteOffset;
    const conversion = this.#kernel.prepare(kernels, near, rows, converted);
    const from = conversion === undefined ? near : converted;
    const calls = conversion === undefined ? [] : [conversion];
    const copies: Copy[] = [];
    for (const { matrix, target, made } of places) {
      const toWidth = target.length / rows;
      const [out, width] =
        made === undefined
          ? [target.byteOffset + 4 * matrix.offset, toWidth]
          : [start + 4 * made, matrix.rows];
      calls.push(this.#kernel.multiply(kernels, { x: from, rows }, matrix, { out, outBytes: 4 * width }));
      if (made === undefined) continue;
      const result = scratch!.subarray(made, made + rows * matrix.rows);
      copies.push({
        from: { data: result, width },
        to: { data: target, width: toWidth, offset: matrix.offset },
      });
    }
    return { x, targets, needed, scratch, isCopied, calls, copies };
  }
}
