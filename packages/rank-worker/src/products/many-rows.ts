import type { Segment } from "@ringrank/policy";
import type { Feeds, Fetched } from "../sessions/ort-binding.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { copyRows } from "./copy-rows.js";
import type { Matrix } from "./matrix.js";
import { blockSize, plainDequantize } from "./plain-dequantize.js";

/** Floats of a matrix that are fed at once: the fastest of 2 ** 16 to 2 ** 22. */
const stripFloats = 2 ** 19;

/** Runs a step's segment; what `into` names it writes there. */
export type RunGemm = (feeds: Feeds, into?: Feeds) => Fetched | Promise<Fetched>;

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
    run: RunGemm,
  ): Promise<void> {
    const width = this.#width;
    const rows = x.length / width;
    const strips = Math.ceil((matrix.rows * width) / stripFloats);
    const most = Math.ceil(matrix.rows / strips);
    const [xName, matrixName] = this.#segment.inputs;
    const [productName] = this.#segment.outputs;
    for (let first = 0; first < matrix.rows; first += most) {
      const count = Math.min(most, matrix.rows - first);
      const strip = dequantized(matrix, first, count, rows);
      const fetched = await run(
        { [xName!]: tensor("float32", x, [rows, width]), [matrixName!]: strip.matrix },
        strip.room && { [productName!]: strip.room },
      );
      const product = fetched[productName!]!.data as Float32Array;
      if (matrix.bias !== undefined) addToRows(product, matrix.bias.subarray(first, first + count));
      copyRows(product, count, out, outWidth, matrix.offset + first);
    }
  }
}

interface Strip {
  /** In float32. */
  readonly matrix: Tensor;
  /** For what `rows` make of it; undefined where the session has to make room. */
  readonly room: Tensor | undefined;
}

/** `count` rows of a matrix from `first` on; good until kernels work again. */
function dequantized(matrix: Matrix, first: number, count: number, rows: number): Strip {
  const { kernels, bits, width, values, scales } = matrix;
  const length = count * width;
  const dims = [count, width];
  const scratch = kernels?.scratch(length + blockSize + rows * count);
  if (scratch === undefined) {
    const out = new Float32Array(length);
    plainDequantize(matrix, first, out);
    return { matrix: tensor("float32", out, dims), room: undefined };
  }
  const valuesAt = values.byteOffset + (first * values.byteLength) / matrix.rows;
  const scalesAt = scales.byteOffset + (first * scales.byteLength) / matrix.rows;
  kernels!.products[bits].dequantize(valuesAt, scalesAt, scratch.byteOffset, count, width);
  const room = scratch.subarray(length + blockSize, length + blockSize + rows * count);
  return {
    matrix: tensor("float32", scratch.subarray(0, length), dims),
    room: tensor("float32", room, [rows, count]),
  };
}

function addToRows(rows: Float32Array, row: Float32Array): void {
  for (let start = 0; start < rows.length; start += row.length) {
    for (let i = 0; i < row.length; i++) rows[start + i]! += row[i]!;
  }
}
