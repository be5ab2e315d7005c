import { floatsAtOnce } from "./kernel-result.js";
import type { RankKernels } from "./rank-kernels.js";

/**
 * Takes whole rows of `width` floats through the kernels' memory, as many at once as they work on.
 *
 * @param y as many floats as `x`, or none
 * @param work is given a part of `x`, that of `y` beside it, both in the kernels' memory, and where the part begins
 * @returns false, and nothing is done, where there is no room
 */
export function inParts(
  kernels: RankKernels,
  width: number,
  x: Float32Array,
  y: Float32Array | undefined,
  work: (part: Float32Array, other: Float32Array | undefined, from: number) => void,
): boolean {
  const most = width * Math.max(1, Math.floor(floatsAtOnce / width));
  const scratch = kernels.scratch(2 * most);
  if (scratch === undefined) return false;
  for (let from = 0; from < x.length; from += most) {
    const length = Math.min(most, x.length - from);
    const part = scratch.subarray(0, length);
    const other = y && scratch.subarray(most, most + length);
    part.set(x.subarray(from, from + length));
    other?.set(y!.subarray(from, from + length));
    work(part, other, from);
  }
  return true;
}
