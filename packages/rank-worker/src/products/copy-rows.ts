import type { RankKernels } from "../kernels/rank-kernels.js";

/**
 * Copies rows of `width` floats to their place in rows of `outWidth`.
 *
 * @param kernels copy them if both are in their memory, else plain code does
 */
export function copyRows(
  from: Float32Array,
  width: number,
  out: Float32Array,
  outWidth: number,
  offset: number,
  kernels?: RankKernels,
): void {
  if (kernels?.memory.holds(from) && kernels.memory.holds(out)) {
    const to = out.byteOffset + 4 * offset;
    kernels.copyHeads(from.byteOffset, 4 * width, 0, to, 4 * outWidth, 0, from.length / width, 1, 4 * width);
    return;
  }
  for (let row = 0, at = offset; at < out.length; row++, at += outWidth) {
    out.set(from.subarray(row * width, (row + 1) * width), at);
  }
}
