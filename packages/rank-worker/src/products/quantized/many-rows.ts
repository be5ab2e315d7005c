import type { QuantizedProductStep } from "@ringrank/policy";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import type { RunSegment } from "../multiplier.js";
import type { Placed } from "../placed.js";
import { rowPieces } from "../row-pieces.js";
import { blockSize, type QuantizedMatrix } from "./blocks.js";
import { type ActivationBytes, columnsOf, panelOf, restFactor } from "./group-arithmetic.js";
import { type Group, groupsOf } from "./groups.js";
import type { IntegerProduct } from "./integer-product.js";
import { ManyRowsRoom } from "./many-rows-room.js";
import { type Panel, panelsOf } from "./panels.js";
import { PartOfStrip } from "./part-of-strip.js";
import { longestStrip, type Strip, stripsOf } from "./strips.js";

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
    const room = new ManyRowsRoom(this.#groups, this.#bits, rows, longestStrip, type, kernels);
    const near = room.near(x);
    const rests = this.#groups.map((group, at) => {
      return room.arithmetic.activations(near, this.#width, group, room.groups[at]!);
    });
    for (const strip of stripsOf(placed)) await this.#multiplyStrip(strip, room, rests, targets, run);
  }

  /** @param rests by group: of how many columns there are any */
  async #multiplyStrip(
    strip: Strip,
    room: ManyRowsRoom,
    rests: readonly number[],
    targets: readonly Float32Array[],
    run: RunSegment,
  ): Promise<void> {
    const parts = strip.parts.map((part) => new PartOfStrip(part, room, targets));
    for (const [at, group] of this.#groups.entries()) {
      const activations = room.groups[at]!;
      const elements = group.blocks * blockSize;
      const weights = room.weights.subarray(0, strip.rows * elements);
      for (const part of parts) part.unpack(group, elements);
      const multiplyPanel = (bytes: ActivationBytes, panel: Panel) => {
        const columns = columnsOf(panel.columns);
        const ofPanel = panelOf(bytes, elements, panel);
        return this.#integers.multiply(weights, strip.rows, ofPanel, columns, room.sums, run);
      };
      for (const panel of panelsOf(room.rows)) {
        await multiplyPanel(activations.values, panel);
        for (const part of parts) {
          if (at === 0) part.begin(activations, panel);
          else part.add(activations, panel, 1);
        }
      }
      for (const panel of panelsOf(rests[at]!)) {
        await multiplyPanel(activations.rests, panel);
        for (const part of parts) part.add(activations, panel, restFactor);
      }
    }
    for (const part of parts) part.finish();
  }
}
