import type { FloatProductStep, Segment } from "@ringrank/policy";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import { tensor } from "../../tensors/tensor.js";
import { copyRows } from "../copy-rows.js";
import { FewRows } from "../few-rows.js";
import type { HeadStart } from "../head-start.js";
import { type Output, outputsOf, type WeightSource } from "../matrix.js";
import type { Multiplier, RunSegment } from "../multiplier.js";
import { areAllPlaced, byMemory } from "../placed.js";
import { rowPieces } from "../row-pieces.js";
import { type FloatMatrix, joined } from "./float-matrix.js";
import { floatRowKernel } from "./row-kernel.js";

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
const mostTurned = 96;

/**
 * The number of product elements that are transposed at once; and the fewest rows of a matrix, since each run of a
 * session has a cost.
 */
const [turnedFloats, leastRows] = [2 ** 15, 256];

/** Multiplies by float32 matrices. Sessions read them in place. */
export class FloatMultiplier implements Multiplier {
  readonly widths: readonly number[];
  readonly #width: number;
  readonly #outputs: readonly Output<FloatMatrix>[];
  readonly #few: FewRows<FloatMatrix> | undefined;
  readonly #segment: Segment;
  readonly #kernelsOf: WeightSource["kernelsOf"];

  /** @param segment the step's segment */
  constructor(step: FloatProductStep, segment: Segment, source: WeightSource) {
    const outputs = outputsOf(step, source, ({ values }) => ({
      values: source.weightOf(values).data as Float32Array,
    }));
    this.#outputs = outputs.map((output) => ({ ...output, matrices: joined(output.matrices) }));
    const memories = byMemory(this.#outputs);
    this.#few = areAllPlaced(memories) ? new FewRows(step.width, memories, floatRowKernel) : undefined;
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

  async multiplyMany(x: Float32Array, outputs: readonly Float32Array[], run: RunSegment): Promise<void> {
    for (const [piece, ...pieces] of rowPieces([x, ...outputs], x.length / this.#width)) {
      await this.#multiplyPiece(piece!, pieces, run);
    }
  }

  /**
   * Products of strips are slower than those of the whole matrix, so no part of the result could be processed while it
   * is still in a cache.
   */
  withEpilogue(): undefined {}

  async #multiplyPiece(x: Float32Array, outputs: readonly Float32Array[], run: RunSegment): Promise<void> {
    const rows = x.length / this.#width;
    for (const [at, { matrices, width }] of this.#outputs.entries()) {
      const target = outputs[at]!;
      const kernels = this.#kernelsOf(target);
      for (const matrix of matrices) {
        const strip = Math.min(matrix.rows, Math.max(leastRows, Math.floor(turnedFloats / rows)));
        const isWhole = matrix.rows === width;
        const isStraight = rows > mostTurned && isWhole;
        const room = isStraight ? undefined : kernels?.scratch(strip * rows + matrix.rows);
        if (room === undefined) await this.#straight(x, matrix, target, kernels, run);
        else await this.#turned(x, matrix, target, kernels!, room, strip, run);
      }
    }
  }

  /** Rows times the matrix. */
  async #straight(
    x: Float32Array,
    { values, rows: columns, bias, offset }: FloatMatrix,
    target: Float32Array,
    kernels: RankKernels | undefined,
    run: RunSegment,
  ): Promise<void> {
    const rows = x.length / this.#width;
    const isWhole = target.length === rows * columns;
    const made = isWhole ? target : new Float32Array(rows * columns);
    await this.#run(x, values, made, run);
    if (bias !== undefined) {
      if (kernels?.memory.holds(made) && kernels.memory.holds(bias))
        kernels.addRow(made.byteOffset, bias.byteOffset, made.byteOffset, rows, columns);
      else for (let i = 0; i < made.length; i++) made[i]! += bias[i % columns]!;
    }
    if (!isWhole) copyRows(made, columns, target, target.length / rows, offset);
  }

  /**
   * The matrix times rows, in strips of this many of its rows, followed by a transposition.
   *
   * @param room memory for the products of a strip, and for a bias; in the kernels' memory, like the target
   */
  async #turned(
    x: Float32Array,
    { values, rows: columns, bias, offset }: FloatMatrix,
    target: Float32Array,
    kernels: RankKernels,
    room: Float32Array,
    strip: number,
    run: RunSegment,
  ): Promise<void> {
    const rows = x.length / this.#width;
    const near = room.subarray(strip * rows, strip * rows + columns);
    if (bias !== undefined) near.set(bias);
    for (let first = 0; first < columns; first += strip) {
      const count = Math.min(strip, columns - first);
      const some = values.subarray(first * this.#width, (first + count) * this.#width);
      await this.#run(some, x, room.subarray(0, count * rows), run);
      const row = bias === undefined ? 0 : near.byteOffset + 4 * first;
      const out = target.byteOffset + 4 * (offset + first);
      kernels.turnProducts(room.byteOffset, rows, row, out, (4 * target.length) / rows, count);
    }
  }

  /** Rows times rows. */
  async #run(left: Float32Array, right: Float32Array, into: Float32Array, run: RunSegment): Promise<void> {
    const { inputs, outputs } = this.#segment;
    const [rows, columns] = [left, right].map(({ length }) => length / this.#width) as [number, number];
    await run(
      "float32",
      {
        [inputs[0]!]: tensor("float32", left, [rows, this.#width]),
        [inputs[1]!]: tensor("float32", right, [columns, this.#width]),
      },
      { [outputs[0]!]: tensor("float32", into, [rows, columns]) },
    );
  }
}
