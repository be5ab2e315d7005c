import type { FloatProductStep, Segment } from "@ringrank/policy";
import type { KernelCall } from "../../kernels/kernel-call.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import { Workspace } from "../../kernels/workspace.js";
import { tensor } from "../../tensors/tensor.js";
import { copyRows } from "../copy-rows.js";
import type { Epilogue } from "../epilogue.js";
import { FewRows } from "../few-rows.js";
import type { HeadStart } from "../head-start.js";
import { type Output, outputsOf, type WeightSource } from "../matrix.js";
import type { Multiplier, MultiplyInto, RunSegment } from "../multiplier.js";
import { areAllPlaced, byMemory } from "../placed.js";
import { rowPieces } from "../row-pieces.js";
import { type FloatMatrix, floatRows, isInPlace, joined } from "./float-matrix.js";
import { addBias, type FloatStrip, type MultiplyRows, multiplyInStrips } from "./float-strips.js";
import { bfloatRowKernel, floatRowKernel } from "./row-kernel.js";
import { type SpacedRows, spacedLength, spaceRows } from "./spaced-rows.js";

/**
 * Up to this many rows are multiplied by the kernel: one or two as fast as memory can be read, four as fast as by a
 * session.
 */
const mostFew = 4;

/**
 * For more rows, a session packs the right operand of a product in every run. Up to this many rows of activations, they
 * are the right operand, and the products are transposed. For more, the matrix is, and packing it takes as long as ten
 * rows do. If a matrix only computes part of an output, products must be moved in any case, so they are transposed.
 */
const mostTransposed = 96;

/**
 * The number of product elements that are transposed at once; and the fewest rows of a matrix, since each run of a
 * session has a cost.
 */
const [transposedFloats, leastRows] = [2 ** 15, 256];

/** Multiplies by matrices of float32, which sessions read in place, or of bfloat16, which they get as float32. */
export class FloatMultiplier implements Multiplier {
  readonly widths: readonly number[];
  readonly #width: number;
  /** Whether a matrix is bfloat16. */
  readonly #areNarrow: boolean;
  readonly #outputs: readonly Output<FloatMatrix>[];
  readonly #few: FewRows<FloatMatrix> | undefined;
  readonly #segment: Segment;
  readonly #kernelsOf: WeightSource["kernelsOf"];

  /** @param segment the step's segment */
  constructor(step: FloatProductStep, segment: Segment, source: WeightSource) {
    const outputs = outputsOf(step, source, ({ values }) => ({
      values: source.weightOf(values).data as FloatMatrix["values"],
    }));
    this.#outputs = outputs.map((output) => ({ ...output, matrices: joined(output.matrices) }));
    const memories = byMemory(this.#outputs);
    this.#areNarrow = outputs.some(({ matrices }) => matrices[0]?.values instanceof Uint16Array);
    const kernel = this.#areNarrow ? bfloatRowKernel(step.width) : floatRowKernel;
    this.#few = areAllPlaced(memories) ? new FewRows(step.width, memories, kernel) : undefined;
    this.widths = this.#outputs.map(({ width }) => width);
    this.#width = step.width;
    this.#segment = segment;
    this.#kernelsOf = source.kernelsOf;
  }

  get headStart(): HeadStart | undefined {
    return this.#few?.headStart;
  }

  multiplyFew(x: Float32Array, outputs: readonly Float32Array[]): boolean {
    return x.length <= mostFew * this.#width && (this.#few?.multiply(x, outputs) ?? false);
  }

  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    return this.#few?.lastCalls(kernels);
  }

  async multiplyMany(x: Float32Array, outputs: readonly Float32Array[], run: RunSegment): Promise<void> {
    for (const [piece, ...pieces] of rowPieces([x, ...outputs], x.length / this.#width)) {
      await this.#spaced(piece!, (some) => this.#multiplyPiece(some, pieces, run));
    }
  }

  withEpilogue(rows: number, { list, inputs }: Epilogue): MultiplyInto | undefined {
    const matrices = this.#outputs.map((output) => output.matrices[0]!);
    const isApart = this.#outputs.some((output) => output.matrices.length > 1);
    const isElsewhere = matrices.some(({ kernels }) => kernels !== list.kernels);
    const [width] = this.widths;
    // Kernels write whole vectors.
    if (rows <= mostTransposed || isApart || isElsewhere || width! % 4 > 0) return undefined;
    return async (x, target, run) => {
      for (const [some, into] of rowPieces([x, target], rows)) {
        const use = ({ first, columns, blocks, order }: FloatStrip) => {
          const addresses = inputs.map((output) => blocks[output]!.byteOffset);
          list.runRows([...addresses, into!.byteOffset + 4 * first], columns, order, 4 * width!);
        };
        const isMade = await this.#spaced(some!, (spaced) =>
          multiplyInStrips(spaced, matrices, list.kernels, this.#multiplyRows(run), use),
        );
        if (!isMade) return false;
      }
      return true;
    };
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
        copyRows(blocks[0]!, columns, target, width, matrix.offset + first, kernels);
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
