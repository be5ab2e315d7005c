import type { QuantizedProductStep } from "@ringrank/policy";
import { outputsOf, type WeightSource } from "../matrix.js";
import type { Multiplier, RunSegment } from "../multiplier.js";
import { areAllPlaced, type ByMemory, byMemory } from "../placed.js";
import type { QuantizedMatrix } from "./blocks.js";
import { FewRows } from "./few-rows.js";
import type { IntegerProduct } from "./integer-product.js";
import { ManyRows } from "./many-rows.js";

/** Matrices of block-quantized weights: few rows block by block, many as whole numbers, piece by piece. */
export class QuantizedMultiplier implements Multiplier {
  readonly widths: readonly number[];
  readonly #memories: ByMemory<QuantizedMatrix>;
  /** Undefined where a matrix lies in no kernels' memory. */
  readonly #few: FewRows | undefined;
  readonly #many: ManyRows;

  /** @param integers by the step's segments */
  constructor(step: QuantizedProductStep, integers: IntegerProduct, source: WeightSource) {
    const outputs = outputsOf(step, source, ({ values, scales }) => ({
      bits: step.bits,
      values: source.weightOf(values).data as Uint8Array,
      scales: source.weightOf(scales!).data as Float32Array,
    }));
    this.widths = outputs.map(({ width }) => width);
    this.#memories = byMemory(outputs);
    this.#few = areAllPlaced(this.#memories) ? new FewRows(step, this.#memories) : undefined;
    this.#many = new ManyRows(step, integers);
  }

  multiplyFew(x: Float32Array, outputs: readonly Float32Array[]): boolean {
    return this.#few?.multiply(x, outputs) ?? false;
  }

  async multiplyMany(x: Float32Array, outputs: readonly Float32Array[], run: RunSegment): Promise<void> {
    for (const [kernels, placed] of this.#memories) {
      await this.#many.multiply(x, kernels, placed, outputs, run);
    }
  }
}
