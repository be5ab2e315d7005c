import type { Segment } from "@ringrank/policy";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import { Workspace } from "../../kernels/workspace.js";
import { tensor } from "../../tensors/tensor.js";
import { copyRows } from "../copy-rows.js";
import type { Epilogue } from "../epilogue.js";
import { inPieces } from "../in-pieces.js";
import type { Output, ProductWeights } from "../matrix.js";
import type { RunSegment } from "../multiplier.js";
import { areNarrow, type FloatMatrix, floatRows, isInPlace } from "./float-matrix.js";
import { addBias, type FloatStrip, type MultiplyRows, multiplyInStrips } from "./float-strips.js";
import { type SpacedRows, spacedLength, spaceRows } from "./spaced-rows.js";

/**
 * A session packs the right operand of a product in every run. Up to this many rows of activations, they are the right
 * operand, and the products are transposed. For more, the matrix is, and packing it takes as long as ten rows do. If a
 * matrix only computes part of an output, products must be moved in any case, so they are transposed.
 */
export const mostTransposed = 96;

/**
 * The number of product elements that are transposed at once; and the fewest rows of a matrix, since each run of a
 * session has a cost.
 */
const [transposedFloats, leastRows] = [2 ** 15, 256];

/**
 * Products of any number of rows, by a session that is fed matrices of float32 in place, and those of bfloat16 as
 * float32.
 */
export class FloatManyRows {
  readonly #width: number;
  /** Whether matrices are bfloat16. */
  readonly #areNarrow: boolean;
  readonly #outputs: readonly Output<FloatMatrix>[];
  readonly #segment: Segment;
  readonly #kernelsOf: ProductWeights["kernelsOf"];

  /**
   * @param width elements of a row
   * @param segment multiplies its first input by the second one
   */
  constructor(
    width: number,
    outputs: readonly Output<FloatMatrix>[],
    segment: Segment,
    kernelsOf: ProductWeights["kernelsOf"],
  ) {
    this.#width = width;
    this.#areNarrow = areNarrow(outputs);
    this.#outputs = outputs;
    this.#segment = segment;
    this.#kernelsOf = kernelsOf;
  }

  /** @param targets by output: the rows to write to */
  async multiply(x: Float32Array, targets: readonly Float32Array[], run: RunSegment): Promise<void> {
    for (const [piece, ...pieces] of inPieces([x, ...targets], x.length / this.#width)) {
      await this.#spaced(piece!, (some) => this.#multiplyPiece(some, pieces, run));
    }
  }

  /**
   * Computes products and an epilogue on them. Each output has one matrix, in the memory of the epilogue's kernels.
   *
   * @param target the epilogue's result, in the same memory, `[rows, a multiple of 4]`
   * @returns false, without any effect, if there is no room there
   */
  async multiplyInto(
    x: Float32Array,
    { list, inputs }: Epilogue,
    target: Float32Array,
    run: RunSegment,
  ): Promise<boolean> {
    const rows = x.length / this.#width;
    const outBytes = (4 * target.length) / rows;
    const matrices = this.#outputs.map((output) => output.matrices[0]!);
    for (const [some, into] of inPieces([x, target], rows)) {
      const use = ({ first, columns, blocks, order }: FloatStrip) => {
        const addresses = inputs.map((output) => blocks[output]!.byteOffset);
        list.runRows([...addresses, into!.byteOffset + 4 * first], columns, order, outBytes);
      };
      const isMade = await this.#spaced(some!, (spaced) =>
        multiplyInStrips(spaced, matrices, list.kernels, this.#multiplyRows(run), use),
      );
      if (!isMade) return false;
    }
    return true;
  }

  /**
   * Calls `use` with the rows as a session multiplies them. To copy a matrix of float32 for this pays only if it is
   * multiplied by many rows; bfloat16 becomes float32 in any case.
   */
  async #spaced<T>(x: Float32Array, use: (rows: SpacedRows) => Promise<T>): Promise<T> {
    const count = x.length / this.#width;
    const isSpaced = this.#areNarrow || count > mostTransposed;
    const length = isSpaced ? spacedLength(this.#width) : this.#width;
    if (length === this.#width) return use({ floats: x, count, length });
    const kernels = this.#kernelsOf(x);
    const workspace = new Workspace(kernels?.memory);
    try {
      const floats = workspace.floats(count * length);
      spaceRows(x, this.#width, floats, length, kernels);
      return await use({ floats, count, length });
    } finally {
      workspace.release();
    }
  }

  async #multiplyPiece(x: SpacedRows, outputs: readonly Float32Array[], run: RunSegment): Promise<void> {
    const multiply = this.#multiplyRows(run);
    for (const [at, { matrices, width }] of this.#outputs.entries()) {
      const target = outputs[at]!;
      for (const matrix of matrices) {
        const isWhole = matrix.rows === width;
        if (x.count <= mostTransposed || !isWhole) {
          if (await this.#transposed(x, matrix, target, multiply)) continue;
        } else if (isInPlace(matrix, x.length)) {
          await multiply(x.floats, matrix.values, x.length, target);
          addBias(this.#kernelsOf(target), target, matrix.bias);
          continue;
        }
        await this.#inStrips(x, matrix, target, multiply);
      }
    }
  }

  /** Rows times strips of the matrix. */
  async #inStrips(
    x: SpacedRows,
    matrix: FloatMatrix,
    target: Float32Array,
    multiply: MultiplyRows,
  ): Promise<void> {
    const width = target.length / x.count;
    const copy = (kernels: RankKernels | undefined) =>
      multiplyInStrips(x, [matrix], kernels, multiply, ({ first, columns, blocks }) => {
        const to = { data: target, width, offset: matrix.offset + first };
        copyRows({ data: blocks[0]!, width: columns }, to, kernels);
      });
    const kernels = this.#kernelsOf(target);
    if (!(await copy(kernels))) await copy(undefined);
  }

  /**
   * The matrix times rows, in strips of the matrix, followed by a transposition.
   *
   * @returns false, without any effect, if the target is not in the memory of kernels, or there is no workspace
   */
  async #transposed(
    { floats: x, count: rows, length }: SpacedRows,
    matrix: FloatMatrix,
    target: Float32Array,
    multiply: MultiplyRows,
  ): Promise<boolean> {
    const { rows: columns, bias, offset } = matrix;
    const strip = Math.min(columns, Math.max(leastRows, Math.floor(transposedFloats / rows)));
    const kernels = this.#kernelsOf(target);
    const copied = isInPlace(matrix, length) ? 0 : strip * length;
    const room = kernels?.scratch(strip * rows + columns + copied);
    if (room === undefined) return false;
    // The products of a strip, the bias, and the strip as a session multiplies it.
    const near = room.subarray(strip * rows, strip * rows + columns);
    const floats = room.subarray(strip * rows + columns);
    if (bias !== undefined) near.set(bias);
    for (let first = 0; first < columns; first += strip) {
      const count = Math.min(strip, columns - first);
      const some = floatRows(matrix, first, count, length, floats);
      await multiply(some, x, length, room.subarray(0, count * rows));
      const row = bias === undefined ? 0 : near.byteOffset + 4 * first;
      const out = target.byteOffset + 4 * (offset + first);
      kernels!.transposeProducts(room.byteOffset, rows, row, out, (4 * target.length) / rows, count);
    }
    return true;
  }

  #multiplyRows(run: RunSegment): MultiplyRows {
    const { inputs, outputs } = this.#segment;
    return async (left, right, width, into) => {
      const [rows, columns] = [left, right].map(({ length }) => length / width) as [number, number];
      await run(
        "float32",
        {
          [inputs[0]!]: tensor("float32", left, [rows, width]),
          [inputs[1]!]: tensor("float32", right, [columns, width]),
        },
        { [outputs[0]!]: tensor("float32", into, [rows, columns]) },
      );
    };
  }
}
