import type { RankKernels } from "../kernels/rank-kernels.js";

/** Where kernels can read these floats, if need be a copy; undefined if there is no room. */
export function addressOf(floats: Float32Array, kernels: RankKernels): number | undefined {
  if (kernels.memory.holds(floats)) return floats.byteOffset;
  const copy = kernels.scratch(floats.length);
  copy?.set(floats);
  return copy?.byteOffset;
}
