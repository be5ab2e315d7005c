import { lineBytes } from "../../kernels/cache-line.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import { widen } from "../../tensors/widen.js";

/** Addresses that are a multiple of this many floats apart, 4 KiB, belong to the same set of a core's L1 cache. */
const setFloats = 1024;

/** Rows that a session multiplies: each ends with zeros, if it is longer than it is wide. */
export interface SpacedRows {
  /** `[count, length]` */
  readonly floats: Float32Array;
  readonly count: number;
  readonly length: number;
}

/**
 * The length of rows that a session multiplies fastest. ONNX Runtime goes through a dozen rows side by side. If they
 * are whole multiples of 4 KiB apart, their elements displace one another from the L1 cache, and are loaded again for
 * every few columns. So a cache line of zeros comes between such rows.
 */
export function spacedLength(width: number): number {
  return width % setFloats === 0 ? width + lineBytes / 4 : width;
}

/**
 * Copies rows to longer ones, or to others of the same length, by a kernel if everything is in its memory.
 *
 * @param from `[rows, width]`: float32, or bfloat16, as its bits
 * @param out `[rows, outWidth]`
 */
export function spaceRows(
  from: Float32Array | Uint16Array,
  width: number,
  out: Float32Array,
  outWidth: number,
  kernels: RankKernels | undefined,
): void {
  const rows = from.length / width;
  if (kernels?.memory.holds(from) && kernels.memory.holds(out)) {
    const space = from instanceof Float32Array ? kernels.spaceRows : kernels.widenRows;
    space(from.byteOffset, rows, width, out.byteOffset, outWidth);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const [some, into] = [from.subarray(row * width, (row + 1) * width), out.subarray(row * outWidth)];
    if (some instanceof Float32Array) into.set(some);
    else widen(some, into);
    into.fill(0, width, outWidth);
  }
}
