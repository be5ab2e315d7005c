import type { Segment } from "@ringrank/policy";
import { type Tensor, tensor } from "../../../tensors/tensor.js";
import type { RunSegment } from "../../multiplier.js";

/** The integer type of activations: signed bytes, or unsigned ones in which 128 means 0. */
export type ActivationType = "int8" | "uint8";

/**
 * Integer products, by sessions of the two segments that product steps have for this. Processors have instructions for
 * unsigned bytes times signed bytes. But older ones add two products in 16 bits, which two large products overflow
 * (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html). On those, activations are unsigned
 * as well; ONNX Runtime multiplies these without such instructions, and a fifth slower.
 */
export class IntegerProduct {
  readonly #calls: Readonly<Record<ActivationType, Call>>;
  #type: ActivationType | undefined;

  constructor(segments: Readonly<Record<ActivationType, Segment>>) {
    this.#calls = { int8: callOf(segments.int8), uint8: callOf(segments.uint8) };
  }

  /**
   * The type that activations need on this processor. The first call finds out, by a product of the largest numbers.
   */
  async activationType(run: RunSegment): Promise<ActivationType> {
    this.#type ??= (await this.#isExact(run)) ? "int8" : "uint8";
    return this.#type;
  }

  /**
   * @param weights uint8 `[rows, width]`
   * @param activations of that type, `[width, columns]`
   * @param sums int32 `[rows, columns]`; receives the result
   * @returns a promise only if the session returns one: awaiting anything else costs more than the run
   */
  multiply(
    weights: Tensor,
    activations: Tensor,
    sums: Tensor,
    run: RunSegment,
  ): undefined | Promise<unknown> {
    const type = activations.type as ActivationType;
    const { names, feeds, into } = this.#calls[type];
    feeds[names.weights] = weights;
    feeds[names.activations] = activations;
    into[names.sums] = sums;
    const given = run(type, feeds, into);
    return given instanceof Promise ? given : undefined;
  }

  async #isExact(run: RunSegment): Promise<boolean> {
    const [rows, width, columns] = [16, 32, 16];
    const sums = new Int32Array(rows * columns);
    const weights = tensor("uint8", new Uint8Array(rows * width).fill(255), [rows, width]);
    const activations = tensor("int8", new Int8Array(width * columns).fill(127), [width, columns]);
    await this.multiply(weights, activations, tensor("int32", sums, [rows, columns]), run);
    return sums.every((sum) => sum === width * 127 * 127);
  }
}

/** The arguments for a segment's session, created once: a prompt has thousands of consecutive calls. */
interface Call {
  readonly names: { readonly weights: string; readonly activations: string; readonly sums: string };
  readonly feeds: Record<string, Tensor>;
  readonly into: Record<string, Tensor>;
}

function callOf({ inputs, outputs }: Segment): Call {
  return {
    names: { weights: inputs[0]!, activations: inputs[1]!, sums: outputs[0]! },
    feeds: {},
    into: {},
  };
}
