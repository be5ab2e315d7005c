import type { QuantizedProductStep } from "@ringrank/policy";
import type { KernelCall } from "../../kernels/kernel-call.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import type { Epilogue } from "../epilogue.js";
import { FewRows } from "../few-rows.js";
import type { HeadStart } from "../head-start.js";
import { type Matrix, outputsOf, type ProductWeights } from "../matrix.js";
import type { Multiplier, MultiplyInto, RunSegment } from "../multiplier.js";
import { areAllPlaced, type ByMemory, byMemory } from "../placed.js";
import type { BlockQuantized, QuantizedMatrix } from "./blocks.js";
import type { IntegerProduct } from "./many-rows/integer-product.js";
import { ManyRows } from "./many-rows/many-rows.js";
import { quantizedRowKernel } from "./row-kernel.js";
import { scalesByRow } from "./scale-runs.js";
import type { StreamedScales } from "./streamed-scales.js";

/**
 * Up to this many rows are multiplied by kernels, which round activations in blocks; more rows are multiplied in groups
 * of blocks. Groups are faster from 12 rows on if the processor multiplies integers in 512-bit registers or by tiles,
 * and otherwise from 24.
 */
const mostFew = 16;

/** Multiplies by block-quantized matrices: a few rows block by block, many rows as integers, piece by piece. */
export class QuantizedMultiplier implements Multiplier {
  readonly widths: readonly number[];
  readonly #width: number;
  readonly #memories: ByMemory<QuantizedMatrix>;
  /** Undefined if a matrix is not in the memory of any kernels. */
  readonly #few: FewRows<QuantizedMatrix> | undefined;
  readonly #many: ManyRows;

  /**
   * @param integers computes integer products by the step's segments
   * @param streamed the scales of all programs with these weights
   */
  constructor(
    step: QuantizedProductStep,
    integers: IntegerProduct,
    weights: ProductWeights,
    streamed: StreamedScales,
  ) {
    const outputs = outputsOf(step, weights, ({ values, scales }) => ({
      values: weights.weightOf(values).data as Uint8Array,
      scales: weights.weightOf(scales).data as Float32Array,
    })).map(({ matrices, width }) => ({
      matrices: matrices.map((matrix) => withScaleRuns(matrix, step.bits, streamed)),
      width,
    }));
    this.widths = outputs.map(({ width }) => width);
    this.#width = step.width;
    const memories = byMemory(outputs);
    this.#memories = memories;
    this.#few = areAllPlaced(memories)
      ? new FewRows(step.width, memories, quantizedRowKernel(step))
      : undefined;
    this.#many = new ManyRows(step, integers);
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
    for (const [kernels, placed] of this.#memories) {
      await this.#many.multiply(x, kernels, placed, outputs, run);
    }
  }

  withEpilogue(rows: number, epilogue: Epilogue): MultiplyInto | undefined {
    if (rows <= mostFew) return undefined;
    const placed = this.#memories.get(epilogue.list.kernels);
    // Kernels write whole vectors.
    if (placed === undefined || this.#memories.size > 1 || this.widths[0]! % 4 > 0) return undefined;
    return (x, target, run) => this.#many.multiplyInto(x, placed, epilogue, target, run);
  }
}

/**
 * Puts the scales in the order that kernels read them in. If that is impossible, the matrix counts as outside the
 * kernels' memory, for plain code.
 */
function withScaleRuns(
  matrix: Matrix & Pick<BlockQuantized, "values"> & { readonly scales: Float32Array },
  bits: 4 | 8,
  streamed: StreamedScales,
): QuantizedMatrix {
  const inStreams = matrix.kernels && streamed.of({ ...matrix, bits }, matrix.kernels);
  if (inStreams !== undefined) return { ...matrix, ...inStreams };
  return { ...matrix, scaleRuns: scalesByRow(matrix.rows), kernels: undefined };
}
