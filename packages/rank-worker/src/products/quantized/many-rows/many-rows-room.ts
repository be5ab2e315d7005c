import type { RankKernels } from "../../../kernels/rank-kernels.js";
import { sameSizes, type Tensor, tensor } from "../../../tensors/tensor.js";
import { blockSize } from "../blocks.js";
import {
  type ActivationBytes,
  columnsOf,
  type GroupActivations,
  type GroupArithmetic,
  scratchFloats,
} from "./group-arithmetic.js";
import type { Group } from "./groups.js";
import type { ActivationType } from "./integer-product.js";
import { kernelArithmetic } from "./kernel-arithmetic.js";
import { type ArrayType, Layout } from "./layout.js";
import { panelColumns } from "./panels.js";
import { plainArithmetic } from "./plain-arithmetic.js";

interface RoomOptions {
  /** Of each row. */
  readonly groups: readonly Group[];
  /** Of a weight. */
  readonly bits: 4 | 8;
  /** Number of rows of activations. */
  readonly rows: number;
  /** Rows of a matrix at once. */
  readonly stripRows: number;
  /** The integer type of activations. */
  readonly type: ActivationType;
}

/**
 * The workspace in which rows are multiplied, and what multiplies them: kernels in their memory, or plain code if that
 * has no room.
 */
export class ManyRowsRoom {
  readonly arithmetic: GroupArithmetic;
  readonly rows: number;
  /** By group. */
  readonly groups: readonly GroupActivations[];
  /** A group of rows of a matrix, `[stripRows, elements]`, and their scales. */
  readonly weights: Uint8Array;
  readonly scales: Float32Array;
  /** Their products with a panel of columns, `[stripRows, its columns]`. */
  readonly sums: Int32Array;
  /** For results outside the kernels' memory, `[rows, stripRows]`. */
  readonly out: Float32Array;
  readonly #kernels: RankKernels | undefined;
  readonly #x: Float32Array;
  readonly #inOrder: Int32Array;
  #lastSums: Tensor | undefined;

  constructor({ groups, bits, rows, stripRows, type }: RoomOptions, kernels: RankKernels | undefined) {
    const Bytes: ArrayType<ActivationBytes> = type === "int8" ? Int8Array : Uint8Array;
    const columns = columnsOf(rows);
    const elements = groups.map(({ blocks }) => blocks * blockSize);
    const layout = new Layout();
    const placed = elements.map((count) => ({
      values: layout.place(Bytes, count * columns),
      rests: layout.place(Bytes, count * columns),
      scales: layout.place(Float32Array, columns),
      order: layout.place(Int32Array, columns),
    }));
    const scratch = layout.place(Float32Array, scratchFloats(rows, groups[0]!.blocks));
    const x = layout.place(Float32Array, rows * elements.reduce((sum, count) => sum + count));
    const weights = layout.place(Uint8Array, stripRows * elements[0]!);
    // Kernels process four rows of a matrix at a time, of which up to three may not exist.
    const scales = layout.place(Float32Array, stripRows + 3);
    const sums = layout.place(Int32Array, (stripRows + 3) * Math.min(columns, panelColumns));
    const out = layout.place(Float32Array, rows * stripRows);
    const inOrder = layout.place(Int32Array, rows);

    const near = kernels?.scratch(layout.floats);
    const memory = near ?? new Float32Array(layout.floats);
    this.groups = placed.map(({ values, rests, scales, order }) => ({
      values: values(memory),
      rests: rests(memory),
      scales: scales(memory),
      order: order(memory),
      scratch: scratch(memory),
    }));
    this.#x = x(memory);
    this.rows = rows;
    this.weights = weights(memory);
    this.scales = scales(memory);
    this.sums = sums(memory);
    this.out = out(memory);
    this.#inOrder = inOrder(memory);
    this.#kernels = near && kernels;
    this.arithmetic =
      this.#kernels === undefined ? plainArithmetic(bits) : kernelArithmetic(this.#kernels, bits);
  }

  /** Whether kernels use it, not plain code. */
  get isNear(): boolean {
    return this.#kernels !== undefined;
  }

  /** Whether values are in the memory that is used for computation. */
  holds(values: Float32Array): boolean {
    return this.#kernels === undefined || this.#kernels.memory.holds(values);
  }

  /** The row numbers in ascending order. */
  rowsInOrder(): Int32Array {
    for (let row = 0; row < this.rows; row++) this.#inOrder[row] = row;
    return this.#inOrder;
  }

  /**
   * Room for the products of this many rows of a matrix and a panel, int32 `[rows, columns]`.
   *
   * @param panel `[elements, columns]`
   */
  sumsOf(rows: number, panel: Tensor): Tensor {
    const columns = panel.dims[1]!;
    const dims = [rows, columns] as const;
    if (this.#lastSums === undefined || !sameSizes(this.#lastSums.dims, dims))
      this.#lastSums = tensor("int32", this.sums.subarray(0, rows * columns), dims);
    return this.#lastSums;
  }

  /** Activations, copied to the memory that is used for computation unless they are there. */
  near(x: Float32Array): Float32Array {
    if (this.holds(x)) return x;
    const copy = this.#x.subarray(0, x.length);
    copy.set(x);
    return copy;
  }
}
