import type { Segment } from "@ringrank/policy";
import type { Feeds, Fetched } from "../sessions/ort-binding.js";
import { tensor } from "../tensors/tensor.js";
import type { Matrix } from "./matrix.js";
import { blockSize, plainDequantize } from "./plain-dequantize.js";

/** Floats of a matrix that are fed at once. */
const stripFloats = 2 ** 20;

/**
 * Products of any number of rows by a session that multiplies in float32: a matrix is dequantized strip by strip, some
 * rows of it each.
 */
export class ManyRows {
  readonly #width: number;
  readonly #segment: Segment;

  constructor(width: number, segment: Segment) {
    this.#width = width;
    this.#segment = segment;
  }

  /**
   * @param out rows of `outWidth`, in each of which the matrix has its place
   * @param run of the segment
   */
  async multiply(
    x: Float32Array,
    matrix: Matrix,
    out: Float32Array,
    outWidth: number,
    run: (feeds: Feeds) => Fetched | Promise<Fetched>,
  ): Promise<void> {
    const rows = x.length / this.#width;
    const strips = Math.ceil((matrix.rows * this.#width) / stripFloats);
    const most = Math.ceil(matrix.rows / strips);
    const [xName, matrixName] = this.#segment.inputs;
    const [productName] = this.#segment.outputs;
    for (let first = 0; first < matrix.rows; first += most) {
      const count = Math.min(most, matrix.rows - first);
      const fetched = await run({
        [xName!]: tensor("float32", x, [rows, this.#width]),
        [matrixName!]: tensor("float32", dequantized(matrix, first, count), [count, this.#width]),
      });
      const product = fetched[productName!]!.data as Float32Array;
      const bias = matrix.bias?.subarray(first, first + count);
      for (let row = 0; row < rows; row++) {
        const part = product.subarray(row * count, (row + 1) * count);
        if (bias !== undefined) for (let i = 0; i < count; i++) part[i]! += bias[i]!;
        out.set(part, row * outWidth + matrix.offset + first);
      }
    }
  }
}

/** Rows of a matrix in float32, good until kernels work again. */
function dequantized(matrix: Matrix, first: number, count: number): Float32Array {
  const { kernels, bits, width, values, scales } = matrix;
  const length = count * width;
  const scratch = kernels?.scratch(length + blockSize);
  if (scratch === undefined) {
    const out = new Float32Array(length);
    plainDequantize(matrix, first, out);
    return out;
  }
  const valuesAt = values.byteOffset + first * (values.length / matrix.rows);
  const scalesAt = scales.byteOffset + first * 4 * (scales.length / matrix.rows);
  kernels!.products[bits].dequantize(valuesAt, scalesAt, scratch.byteOffset, count, width);
  return scratch.subarray(0, length);
}
