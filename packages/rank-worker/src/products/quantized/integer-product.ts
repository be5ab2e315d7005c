import type { Segment } from "@ringrank/policy";
import { tensor } from "../../tensors/tensor.js";
import type { RunSegment } from "../multiplier.js";
import type { ActivationBytes } from "./group-arithmetic.js";

/** What activations are as whole numbers: signed bytes, or unsigned ones of which 128 is 0. */
export type ActivationType = "int8" | "uint8";

/**
 * Products of whole numbers, by sessions of the two segments that product steps have for it. Unsigned bytes by signed
 * ones is what processors have instructions for; but those that have none for all of it add up two products in 16 bits,
 * which two large ones overflow (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html). There,
 * activations are unsigned, too, which ONNX Runtime multiplies without, a fifth slower.
 */
export class IntegerProduct {
  readonly #segments: Readonly<Record<ActivationType, Segment>>;
  #type: ActivationType | undefined;

  constructor(segments: Readonly<Record<ActivationType, Segment>>) {
    this.#segments = segments;
  }

  /** What activations have to be on this processor; the first time, a product of the largest numbers tells. */
  async activationType(run: RunSegment): Promise<ActivationType> {
    this.#type ??= (await this.#isExact(run)) ? "int8" : "uint8";
    return this.#type;
  }

  /**
   * @param weights `[rows, width]`
   * @param activations `[width, columns]`, and more
   * @param sums written to: `[rows, columns]`, and more
   */
  async multiply(
    weights: Uint8Array,
    rows: number,
    activations: ActivationBytes,
    columns: number,
    sums: Int32Array,
    run: RunSegment,
  ): Promise<void> {
    const width = weights.length / rows;
    const type = activations instanceof Int8Array ? "int8" : "uint8";
    const { inputs, outputs } = this.#segments[type];
    await run(
      type,
      {
        [inputs[0]!]: tensor("uint8", weights, [rows, width]),
        [inputs[1]!]: tensor(type, activations.subarray(0, width * columns), [width, columns]),
      },
      { [outputs[0]!]: tensor("int32", sums.subarray(0, rows * columns), [rows, columns]) },
    );
  }

  async #isExact(run: RunSegment): Promise<boolean> {
    const [rows, width, columns] = [16, 32, 16];
    const sums = new Int32Array(rows * columns);
    const weights = new Uint8Array(rows * width).fill(255);
    await this.multiply(weights, rows, new Int8Array(width * columns).fill(127), columns, sums, run);
    return sums.every((sum) => sum === width * 127 * 127);
  }
}
