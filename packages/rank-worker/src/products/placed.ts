import type { RankKernels } from "../kernels/rank-kernels.js";
import type { Matrix, Output } from "./matrix.js";

/** A matrix, and the index of its output among the step's. */
export interface Placed<M extends Matrix> {
  readonly matrix: M;
  readonly output: number;
}

/** A step's matrices by the memory they are in: all in one, unless a rank's weights exceed it. */
export type ByMemory<M extends Matrix> = ReadonlyMap<RankKernels | undefined, readonly Placed<M>[]>;

export function byMemory<M extends Matrix>(outputs: readonly Output<M>[]): ByMemory<M> {
  const memories = new Map<RankKernels | undefined, Placed<M>[]>();
  for (const [output, { matrices }] of outputs.entries()) {
    for (const matrix of matrices) {
      const placed = memories.get(matrix.kernels) ?? [];
      memories.set(matrix.kernels, placed);
      placed.push({ matrix, output });
    }
  }
  return memories;
}

/** Whether every matrix is in the memory of some kernels. */
export function areAllPlaced<M extends Matrix>(
  memories: ByMemory<M>,
): memories is ReadonlyMap<RankKernels, readonly Placed<M>[]> {
  return !memories.has(undefined);
}
