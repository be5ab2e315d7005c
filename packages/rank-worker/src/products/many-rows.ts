import type { Segment } from "@ringrank/policy";
import type { Feeds, Fetched } from "../sessions/ort-binding.js";
import { tensor } from "../tensors/tensor.js";
import { copyRows } from "./copy-rows.js";
import type { Matrix } from "./matrix.js";
import { blockSize, plainDequantize } from "./plain-dequantize.js";

/** Floats of a matrix that are fed at once: the fastest of 2 ** 16 to 2 ** 22. */
const stripFloats = 2 ** 19;

/**
 * Products of any number of rows, by a session that multiplies in float32. A matrix is dequantized and fed strip by
 * strip, some rows of it each, which are near when the session reads them.
 */
export class ManyRows {
  readonly #width: number;
  readonly #segment: Segment;

  /** @param segment that of the step */
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
    const width = this.#width;
    const strips = Math.ceil((matrix.rows * width) / stripFloats);
    const most = Math.ceil(matrix.rows / strips);
    const [xName, matrixName] = this.#segment.inputs;
    const [productName] = this.#segment.outputs;
    for (let first = 0; first < matrix.rows; first += most) {
      const count = Math.min(most, matrix.rows - first);
      const fetched = await run({
        [xName!]: tensor("float32", x, [x.length / width, width]),
        [matrixName!]: tensor("float32", dequantized(matrix, first, count), [count, width]),
      });
      const product = fetched[productName!]!.data as Float32Array;
      if (matrix.bias !== undefined) addToRows(product, matrix.bias.subarray(first, first + count));
      copyRows(product, count, out, outWidth, matrix.offset + first);
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
  const valuesAt = values.byteOffset + (first * values.byteLength) / matrix.rows;
  const scalesAt = scales.byteOffset + (first * scales.byteLength) / matrix.rows;
  kernels!.products[bits].dequantize(valuesAt, scalesAt, scratch.byteOffset, count, width);
  return scratch.subarray(0, length);
}

function addToRows(rows: Float32Array, row: Float32Array): void {
  for (let start = 0; start < rows.length; start += row.length) {
    for (let i = 0; i < row.length; i++) rows[start + i]! += row[i]!;
  }
}
