import type { ProductStep } from "@ringrank/policy";
import type { ProductKernels, RankKernels } from "../kernels/rank-kernels.js";
import type { Tensor } from "../tensors/tensor.js";
import type { Matrix, Output } from "./matrix.js";
import { blockSize, blocksOf } from "./plain-dequantize.js";

/** From where on a session with dequantized weights is faster. */
export const mostFewRows = 4;

/** A matrix, and the place of its output among the step's. */
interface Placed {
  readonly matrix: Matrix;
  readonly output: number;
}

/**
 * Products of few rows by kernels: a row is quantized once for all matrices of the step that lie in one memory. All of
 * them lie in one but where a rank's weights outgrow it.
 */
export class FewRows {
  readonly #step: ProductStep;
  readonly #memories: ReadonlyMap<RankKernels, readonly Placed[]>;

  private constructor(step: ProductStep, memories: ReadonlyMap<RankKernels, readonly Placed[]>) {
    this.#step = step;
    this.#memories = memories;
  }

  /** Undefined where a matrix lies in no kernels' memory. */
  static of(step: ProductStep, outputs: readonly Output[]): FewRows | undefined {
    const memories = new Map<RankKernels, Placed[]>();
    for (const [output, { matrices }] of outputs.entries()) {
      for (const matrix of matrices) {
        const { kernels } = matrix;
        if (kernels === undefined) return undefined;
        memories.set(kernels, [...(memories.get(kernels) ?? []), { matrix, output }]);
      }
    }
    return new FewRows(step, memories);
  }

  /** @returns false where there is no room to work in */
  multiply(x: Float32Array, outputs: readonly Tensor[]): boolean {
    const { width, bits } = this.#step;
    const rows = x.length / width;
    for (const [kernels, placed] of this.#memories) {
      const product = kernels.products[bits];
      const quantized = rows * blocksOf(width) * product.blockBytes;
      const isInPlace = kernels.memory.holds(x);
      const elsewhere = placed.filter(({ output }) => !kernels.memory.holds(floatsOf(outputs[output]!)));
      const most = Math.max(0, ...elsewhere.map(({ matrix }) => rows * matrix.rows));
      // What comes behind one another: x, if it lies elsewhere; quantized, and a block; what a matrix makes for elsewhere.
      const lengths = [isInPlace ? 0 : x.length, quantized / 4 + blockSize, most];
      const scratch = kernels.scratch(lengths.reduce((sum, length) => sum + length));
      if (scratch === undefined) return false;
      if (!isInPlace) scratch.set(x);
      const at = scratch.byteOffset + 4 * lengths[0]!;
      product.quantize(isInPlace ? x.byteOffset : scratch.byteOffset, rows, width, at);
      const made = scratch.subarray(lengths[0]! + lengths[1]!);
      for (const { matrix, output } of placed) {
        const out = floatsOf(outputs[output]!);
        const outWidth = out.length / rows;
        if (kernels.memory.holds(out)) {
          multiply(product, at, rows, matrix, out.subarray(matrix.offset), outWidth);
          continue;
        }
        multiply(product, at, rows, matrix, made, matrix.rows);
        for (let row = 0; row < rows; row++) {
          const from = row * matrix.rows;
          out.set(made.subarray(from, from + matrix.rows), row * outWidth + matrix.offset);
        }
      }
    }
    return true;
  }
}

/** @param outWidth floats from one row of `out` to the next */
function multiply(
  product: ProductKernels,
  x: number,
  rows: number,
  { values, scales, bias, width, rows: count }: Matrix,
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

function floatsOf({ data }: Tensor): Float32Array {
  return data as Float32Array;
}
