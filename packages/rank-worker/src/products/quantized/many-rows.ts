import type { QuantizedProductStep } from "@ringrank/policy";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import { copyRows } from "../copy-rows.js";
import type { RunSegment } from "../multiplier.js";
import type { Placed } from "../placed.js";
import { rowPieces } from "../row-pieces.js";
import { blockSize, type QuantizedMatrix } from "./blocks.js";
import { type ActivationBytes, columnsOf, panelOf, restFactor } from "./group-arithmetic.js";
import { type Group, groupsOf } from "./groups.js";
import type { IntegerProduct } from "./integer-product.js";
import { ManyRowsRoom } from "./many-rows-room.js";
import { type Panel, panelsOf } from "./panels.js";

/** Rows of a matrix that are multiplied at once: what is made of them, as bytes, stays in a core's own cache. */
const stripRows = 512;

/**
 * Products of any number of rows, by a session that multiplies whole numbers: of groups of blocks, whose products are
 * scaled and added up here (docs/design-notes.md).
 */
export class ManyRows {
  readonly #bits: 4 | 8;
  readonly #width: number;
  readonly #groups: readonly Group[];
  readonly #integers: IntegerProduct;

  constructor({ bits, width }: QuantizedProductStep, integers: IntegerProduct) {
    this.#bits = bits;
    this.#width = width;
    this.#groups = groupsOf(width);
    this.#integers = integers;
  }

  /**
   * @param kernels in whose memory the matrices lie
   * @param targets by output: rows to write to
   */
  async multiply(
    x: Float32Array,
    kernels: RankKernels | undefined,
    placed: readonly Placed<QuantizedMatrix>[],
    targets: readonly Float32Array[],
    run: RunSegment,
  ): Promise<void> {
    for (const [piece, ...pieces] of rowPieces([x, ...targets], x.length / this.#width)) {
      await this.#multiplyPiece(piece!, kernels, placed, pieces, run);
    }
  }

  async #multiplyPiece(
    x: Float32Array,
    kernels: RankKernels | undefined,
    placed: readonly Placed<QuantizedMatrix>[],
    targets: readonly Float32Array[],
    run: RunSegment,
  ): Promise<void> {
    const rows = x.length / this.#width;
    const type = await this.#integers.activationType(run);
    const room = new ManyRowsRoom(this.#groups, this.#bits, rows, stripRows, type, kernels);
    const near = room.near(x);
    const rests = this.#groups.map((group, at) => {
      return room.arithmetic.activations(near, this.#width, group, room.groups[at]!);
    });
    for (const { matrix, output } of placed) {
      for (let first = 0; first < matrix.rows; first += stripRows) {
        const count = Math.min(stripRows, matrix.rows - first);
        await this.#multiplyStrip(matrix, first, count, room, rests, targets[output]!, run);
      }
    }
  }

  /**
   * `count` rows of a matrix from `first` on.
   *
   * @param rests by group: of how many columns there are any
   */
  async #multiplyStrip(
    matrix: QuantizedMatrix,
    first: number,
    count: number,
    room: ManyRowsRoom,
    rests: readonly number[],
    target: Float32Array,
    run: RunSegment,
  ): Promise<void> {
    const { arithmetic, rows } = room;
    const targetWidth = target.length / rows;
    const isNear = room.holds(target);
    const [out, outWidth] = isNear
      ? [target.subarray(matrix.offset + first), targetWidth]
      : [room.out, count];
    for (const [at, group] of this.#groups.entries()) {
      const activations = room.groups[at]!;
      const { sums, scales } = room;
      const elements = group.blocks * blockSize;
      const weights = room.weights.subarray(0, count * elements);
      arithmetic.weights(matrix, first, group, weights, scales);
      const multiplyPanel = (bytes: ActivationBytes, panel: Panel) => {
        const columns = columnsOf(panel.columns);
        return this.#integers.multiply(weights, count, panelOf(bytes, elements, panel), columns, sums, run);
      };
      for (const panel of panelsOf(rows)) {
        await multiplyPanel(activations.values, panel);
        if (at === 0) {
          const bias = matrix.bias?.subarray(first);
          arithmetic.begin(sums, scales, activations, panel, bias, out, outWidth, count);
        } else arithmetic.add(sums, scales, activations, panel, 1, out, outWidth, count);
      }
      for (const panel of panelsOf(rests[at]!)) {
        await multiplyPanel(activations.rests, panel);
        arithmetic.add(sums, scales, activations, panel, restFactor, out, outWidth, count);
      }
    }
    if (!isNear) copyRows(out.subarray(0, rows * count), count, target, targetWidth, matrix.offset + first);
  }
}
