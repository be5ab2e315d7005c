import type { FloatProductStep, Segment } from "@ringrank/policy";
import type { KernelCall } from "../../kernels/kernel-call.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import type { Epilogue } from "../epilogue.js";
import { FewRows } from "../few-rows.js";
import type { HeadStart } from "../head-start.js";
import { type Output, outputsOf, type ProductWeights } from "../matrix.js";
import type { Multiplier, MultiplyInto, RunSegment } from "../multiplier.js";
import { areAllPlaced, byMemory } from "../placed.js";
import { FloatManyRows, mostTransposed } from "./float-many-rows.js";
import { areNarrow, type FloatMatrix, joined } from "./float-matrix.js";
import { bfloatRowKernel, floatRowKernel } from "./row-kernel.js";

/**
 * Up to this many rows are multiplied by the kernel: one or two as fast as memory can be read, four as fast as by a
 * session.
 */
const mostFew = 4;

/** Multiplies by matrices of float32 or bfloat16: a few rows by a kernel, many rows by a session. */
export class FloatMultiplier implements Multiplier {
  readonly widths: readonly number[];
  readonly #width: number;
  readonly #outputs: readonly Output<FloatMatrix>[];
  /** Undefined if a matrix is not in the memory of any kernels. */
  readonly #few: FewRows<FloatMatrix> | undefined;
  readonly #many: FloatManyRows;

  /** @param segment the step's segment */
  constructor(step: FloatProductStep, segment: Segment, weights: ProductWeights) {
    const outputs = outputsOf(step, weights, ({ values }) => ({
      values: weights.weightOf(values).data as FloatMatrix["values"],
    })).map((output) => ({ ...output, matrices: joined(output.matrices) }));
    this.widths = outputs.map(({ width }) => width);
    this.#width = step.width;
    this.#outputs = outputs;
    const memories = byMemory(outputs);
    const kernel = areNarrow(outputs) ? bfloatRowKernel(step.width) : floatRowKernel;
    this.#few = areAllPlaced(memories) ? new FewRows(step.width, memories, kernel) : undefined;
    this.#many = new FloatManyRows(step.width, outputs, segment, weights.kernelsOf);
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

  multiplyMany(x: Float32Array, outputs: readonly Float32Array[], run: RunSegment): Promise<void> {
    return this.#many.multiply(x, outputs, run);
  }

  withEpilogue(rows: number, epilogue: Epilogue): MultiplyInto | undefined {
    if (rows <= mostTransposed) return undefined;
    const isEachHere = this.#outputs.every(
      ({ matrices: [matrix, ...others] }) => matrix?.kernels === epilogue.list.kernels && others.length === 0,
    );
    // Kernels write whole vectors.
    if (!isEachHere || this.widths[0]! % 4 > 0) return undefined;
    return (x, target, run) => this.#many.multiplyInto(x, epilogue, target, run);
  }
}
