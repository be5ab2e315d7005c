import { floatsAtOnce } from "./kernel-result.js";
import type { RankKernels } from "./rank-kernels.js";

/**
 * Passes whole rows of `width` floats to kernels, as many at once as they process: in place if they are in the kernels'
 * memory, else through it.
 *
 * @param y as many floats as `x`, or none
 * @param work receives a part of `x`, which it may change, the corresponding part of `y`, and the part's offset
 * @returns false, without any effect, if there is no room
 */
export function inParts(
  kernels: RankKernels,
  width: number,
  x: Float32Array,
  y: Float32Array | undefined,
  work: (part: Float32Array, other: Float32Array | undefined, from: number) => void,
): boolean {
  const { memory } = kernels;
  const most = width * Math.max(1, Math.floor(floatsAtOnce / width));
  const scratch = kernels.scratch(2 * most);
  if (scratch === undefined) return false;
  const near = (floats: Float32Array, room: number): Float32Array => {
    if (memory.holds(floats)) return floats;
    const copy = scratch.subarray(room, room + floats.length);
    copy.set(floats);
    return copy;
  };
  for (let from = 0; from < x.length; from += most) {
    const own = x.subarray(from, from + most);
    const part = near(own, 0);
    work(part, y && near(y.subarray(from, from + most), most), from);
    if (part !== own) own.set(part);
  }
  return true;
}
