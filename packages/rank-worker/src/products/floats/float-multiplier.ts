import type { FloatProductStep, Segment } from "@ringrank/policy";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import { TransientTensor } from "../../kernels/transient-tensor.js";
import { type Tensor, tensor } from "../../tensors/tensor.js";
import { copyRows } from "../copy-rows.js";
import { type Output, outputsOf, type WeightSource } from "../matrix.js";
import type { Multiplier, RunSegment } from "../multiplier.js";
import { type FloatMatrix, joined } from "./float-matrix.js";

/**
 * Up to so many rows are multiplied by the kernel. One it multiplies as fast as memory is read; of more, a session packs
 * the matrix for every run, which takes as long as ten rows do.
 */
const mostFew = 16;

/** Matrices of float32: a session reads them where they lie. */
export class FloatMultiplier implements Multiplier {
  readonly widths: readonly number[];
  readonly #width: number;
  readonly #outputs: readonly Output<FloatMatrix>[];
  readonly #segment: Segment;

  /** @param segment the step's */
  constructor(step: FloatProductStep, segment: Segment, source: WeightSource) {
    const outputs = outputsOf(step, source, ({ values }) => ({
      values: source.weightOf(values).data as Float32Array,
    }));
    this.#outputs = outputs.map((output) => ({ ...output, matrices: joined(output.matrices) }));
    this.widths = this.#outputs.map(({ width }) => width);
    this.#width = step.width;
    this.#segment = segment;
  }

  multiplyFew(x: Float32Array, outputs: readonly Float32Array[]): boolean {
    const rows = x.length / this.#width;
    if (rows > mostFew) return false;
    for (let at = 0; at < outputs.length; at++) {
      for (const matrix of this.#outputs[at]!.matrices) {
        const { kernels } = matrix;
        if (kernels === undefined || !multiplyBy(matrix, kernels, x, rows, outputs[at]!)) return false;
      }
    }
    return true;
  }

  async multiplyMany(x: Float32Array, outputs: readonly Float32Array[], run: RunSegment): Promise<void> {
    const rows = x.length / this.#width;
    const [activations, weights, added] = this.#segment.inputs as [string, string, string?];
    const [products] = this.#segment.outputs as [string];
    const value = tensor("float32", x, [rows, this.#width]);
    for (const [at, { matrices, width }] of this.#outputs.entries()) {
      const target = outputs[at]!;
      for (const { values, rows: columns, bias, offset, kernels } of matrices) {
        const isAlone = columns === width;
        const sizes = [rows, columns];
        const made = isAlone
          ? tensor("float32", target, sizes)
          : TransientTensor.takeOrMake(kernels?.memory, sizes);
        const row = added === undefined ? {} : { [added]: rowOf(bias, columns) };
        const matrix = tensor("float32", values, [columns, this.#width]);
        await run("float32", { [activations]: value, [weights]: matrix, ...row }, { [products]: made });
        if (!isAlone) copyRows(made.data as Float32Array, columns, target, width, offset);
        TransientTensor.releaseAll([made]);
      }
    }
  }
}

/** Zeros where there is no bias. */
function rowOf(bias: Float32Array | undefined, columns: number): Tensor {
  return tensor("float32", bias ?? new Float32Array(columns), [columns]);
}

/** @returns false where there is no room to work in */
function multiplyBy(
  { values, rows: count, width, bias, offset }: FloatMatrix,
  kernels: RankKernels,
  x: Float32Array,
  rows: number,
  target: Float32Array,
): boolean {
  const { memory } = kernels;
  const outWidth = target.length / rows;
  // One behind the other: rows that lie elsewhere, and what is made for elsewhere.
  const copied = memory.holds(x) ? 0 : x.length;
  const made = memory.holds(target) ? 0 : rows * count;
  const scratch = copied + made === 0 ? undefined : kernels.scratch(copied + made);
  if (scratch === undefined && copied + made > 0) return false;
  if (copied > 0) scratch!.set(x);
  kernels.multiplyFloats(
    copied > 0 ? scratch!.byteOffset : x.byteOffset,
    rows,
    values.byteOffset,
    bias?.byteOffset ?? 0,
    made > 0 ? scratch!.byteOffset + 4 * copied : target.byteOffset + 4 * offset,
    4 * (made > 0 ? count : outWidth),
    count,
    width,
  );
  if (made > 0) copyRows(scratch!.subarray(copied, copied + made), count, target, outWidth, offset);
  return true;
}
