import type { QuantizedProductStep } from "@ringrank/policy";
import type { ProductKernels, RankKernels } from "../../kernels/rank-kernels.js";
import { copyRows } from "../copy-rows.js";
import type { Placed } from "../placed.js";
import { blockSize, blocksOf, type QuantizedMatrix } from "./blocks.js";

/**
 * Up to so many rows are multiplied by kernels, which round activations in blocks; more by groups of blocks. From 12 rows on
 * those are faster where processors multiply whole numbers in registers of 512 bits or by tiles, elsewhere from 24.
 */
const mostRows = 16;

/** A step's products of few rows, by kernels. */
export class FewRows {
  readonly #bits: 4 | 8;
  readonly #width: number;
  readonly #memories: ReadonlyMap<RankKernels, readonly Placed<QuantizedMatrix>[]>;

  constructor(
    { bits, width }: QuantizedProductStep,
    memories: ReadonlyMap<RankKernels, readonly Placed<QuantizedMatrix>[]>,
  ) {
    this.#bits = bits;
    this.#width = width;
    this.#memories = memories;
  }

  /** @returns false where there are too many rows, or there is no room to work in */
  multiply(x: Float32Array, targets: readonly Float32Array[]): boolean {
    const rows = x.length / this.#width;
    if (rows > mostRows) return false;
    for (const [kernels, placed] of this.#memories) {
      if (!this.#multiplyIn(kernels, placed, x, rows, targets)) return false;
    }
    return true;
  }

  /** With the matrices in one memory, for all of which the rows are quantized once. */
  #multiplyIn(
    kernels: RankKernels,
    placed: readonly Placed<QuantizedMatrix>[],
    x: Float32Array,
    rows: number,
    targets: readonly Float32Array[],
  ): boolean {
    const product = kernels.products[this.#bits];
    const isElsewhere = (data: Float32Array) => !kernels.memory.holds(data);
    const made = placed.filter(({ output }) => isElsewhere(targets[output]!));
    const quantizedBytes = rows * blocksOf(this.#width) * product.blockBytes;
    // One behind the other: rows that lie elsewhere, quantized ones, and what a matrix makes for elsewhere.
    const copied = isElsewhere(x) ? x.length : 0;
    const quantized = quantizedBytes / 4 + blockSize;
    const most = Math.max(0, ...made.map(({ matrix }) => rows * matrix.rows));
    const scratch = kernels.scratch(copied + quantized + most);
    if (scratch === undefined) return false;
    if (copied > 0) scratch.set(x);
    const at = scratch.byteOffset + 4 * copied;
    product.quantize(copied > 0 ? scratch.byteOffset : x.byteOffset, rows, this.#width, at);
    for (const { matrix, output } of placed) {
      const target = targets[output]!;
      if (isElsewhere(target)) {
        const room = scratch.subarray(copied + quantized);
        multiply(product, at, rows, matrix, room, matrix.rows);
        copyRows(room, matrix.rows, target, target.length / rows, matrix.offset);
      } else multiply(product, at, rows, matrix, target.subarray(matrix.offset), target.length / rows);
    }
    return true;
  }
}

/** @param outWidth floats from one row of `out` to the next */
function multiply(
  product: ProductKernels,
  x: number,
  rows: number,
  { values, scales, bias, width, rows: count }: QuantizedMatrix,
  out: Float32Array,
  outWidth: number,
): void {
  product.multiply(
    x,
    rows,
    values.byteOffset,
    scales.byteOffset,
    bias?.byteOffset ?? 0,
    out.byteOffset,
    4 * outWidth,
    count,
    blocksOf(width),
  );
}
