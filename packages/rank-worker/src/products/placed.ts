import type { RankKernels } from "../kernels/rank-kernels.js";
import type { Matrix, Output } from "./matrix.js";

/** A matrix, and the place of its output among the step's. */
export interface Placed {
  readonly matrix: Matrix;
  readonly output: number;
}

/** A step's matrices by the memory they lie in: all in one, but where a rank's weights outgrow it. */
export function byMemory(
  outputs: readonly Output[],
): ReadonlyMap<RankKernels | undefined, readonly Placed[]> {
  const memories = new Map<RankKernels | undefined, Placed[]>();
  for (const [output, { matrices }] of outputs.entries()) {
    for (const matrix of matrices) {
      const placed = memories.get(matrix.kernels) ?? [];
      memories.set(matrix.kernels, placed);
      placed.push({ matrix, output });
    }
  }
  return memories;
}
