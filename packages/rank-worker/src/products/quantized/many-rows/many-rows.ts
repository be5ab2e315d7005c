import type { QuantizedProductStep } from "@ringrank/policy";
import type { RankKernels } from "../../../kernels/rank-kernels.js";
import { tensor } from "../../../tensors/tensor.js";
import type { Epilogue } from "../../epilogue.js";
import { inPieces } from "../../in-pieces.js";
import type { RunSegment } from "../../multiplier.js";
import type { Placed } from "../../placed.js";
import { blockSize, type QuantizedMatrix } from "../blocks.js";
import { restFactor } from "./group-arithmetic.js";
import { type Group, groupsOf } from "./groups.js";
import type { IntegerProduct } from "./integer-product.js";
import { ManyRowsRoom } from "./many-rows-room.js";
import { PartOfStrip } from "./part-of-strip.js";
import { type RoundedRows, roundedRows } from "./rounded-rows.js";
import { type StripResults, ToEpilogue, ToOutputs } from "./strip-results.js";
import { longestStrip, type Strip, stripsAcross, stripsOf } from "./strips.js";

/**
 * Products of any number of rows, by a session that multiplies integers: groups of blocks, whose products are scaled
 * and added here (docs/design/products-of-many-rows.md).
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
   * @param kernels the kernels whose memory contains the matrices
   * @param targets by output: the rows to write to
   */
  async multiply(
    x: Float32Array,
    kernels: RankKernels | undefined,
    placed: readonly Placed<QuantizedMatrix>[],
    targets: readonly Float32Array[],
    run: RunSegment,
  ): Promise<void> {
    const strips = stripsOf(placed);
    for (const [piece, ...pieces] of inPieces([x, ...targets], x.length / this.#width)) {
      const rounded = await this.#round(piece!, longestStrip, kernels, run);
      await this.#multiplyStrips(strips, rounded, new ToOutputs(rounded.room, pieces), run);
    }
  }

  /**
   * Computes products and an epilogue on them.
   *
   * @param placed all matrices of the epilogue's inputs, which are all outputs, in the memory of the epilogue's kernels
   * @param target the epilogue's result, in the same memory, `[rows, a multiple of 4]`
   * @returns false, without any effect, if there is no room there
   */
  async multiplyInto(
    x: Float32Array,
    placed: readonly Placed<QuantizedMatrix>[],
    epilogue: Epilogue,
    target: Float32Array,
    run: RunSegment,
  ): Promise<boolean> {
    const rows = x.length / this.#width;
    const outputs = 1 + Math.max(...epilogue.inputs);
    const strips = stripsAcross(placed, outputs, target.length / rows);
    const { columns } = strips[0]!;
    const isByPanel = this.#groups.length === 1;
    for (const [piece, into] of inPieces([x, target], rows)) {
      const rounded = await this.#round(piece!, outputs * columns, epilogue.list.kernels, run);
      if (!rounded.room.isNear) return false;
      const results = new ToEpilogue(rounded.room, epilogue, columns, into!, isByPanel);
      await this.#multiplyStrips(strips, rounded, results, run);
    }
    return true;
  }

  async #round(
    x: Float32Array,
    stripRows: number,
    kernels: RankKernels | undefined,
    run: RunSegment,
  ): Promise<RoundedRows> {
    const type = await this.#integers.activationType(run);
    const rows = x.length / this.#width;
    const sizes = { groups: this.#groups, bits: this.#bits, rows, stripRows, type };
    const room = new ManyRowsRoom(sizes, kernels);
    return roundedRows(x, this.#groups, room, type);
  }

  async #multiplyStrips<S extends Strip>(
    strips: readonly S[],
    rounded: RoundedRows,
    results: StripResults<S>,
    run: RunSegment,
  ): Promise<void> {
    for (const strip of strips) {
      const parts = strip.parts.map((part) => {
        return new PartOfStrip(part, rounded.room, results.destinationOf(part, strip));
      });
      await this.#multiplyStrip(strip, parts, rounded, results, run);
      results.finish(strip);
    }
  }

  async #multiplyStrip<S extends Strip>(
    strip: S,
    parts: readonly PartOfStrip[],
    { room, groups }: RoundedRows,
    results: StripResults<S>,
    run: RunSegment,
  ): Promise<void> {
    const { rows } = strip;
    for (const { group, panels } of groups) {
      const elements = group.blocks * blockSize;
      for (const part of parts) part.unpack(group, elements);
      const weights = tensor("uint8", room.weights.subarray(0, rows * elements), [rows, elements]);
      for (const { values, rests } of panels) {
        const pending = this.#integers.multiply(weights, values.bytes, room.sumsOf(rows, values.bytes), run);
        if (pending !== undefined) await pending;
        for (const part of parts) {
          if (group.firstBlock === 0) part.begin(values.columns);
          else part.add(values.columns, 1);
        }
        if (rests !== undefined) {
          const pending = this.#integers.multiply(weights, rests.bytes, room.sumsOf(rows, rests.bytes), run);
          if (pending !== undefined) await pending;
          for (const part of parts) part.add(rests.columns, restFactor);
        }
        results.finishPanel(strip, values.columns);
      }
    }
  }
}
