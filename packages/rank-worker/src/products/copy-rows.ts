import type { RankKernels } from "../kernels/rank-kernels.js";

/** Rows of `width` floats each. */
export interface Rows {
  readonly data: Float32Array;
  readonly width: number;
}

/** A part of each row. */
export interface PartOfRows extends Rows {
  /** Floats before it. */
  readonly offset: number;
}

/**
 * Copies whole rows to a part of others.
 *
 * @param kernels copy them if both are in their memory, else plain code does
 */
export function copyRows(from: Rows, to: PartOfRows, kernels?: RankKernels): void {
  const { data, width } = from;
  if (kernels?.memory.holds(data) && kernels.memory.holds(to.data)) {
    const out = to.data.byteOffset + 4 * to.offset;
    const rows = data.length / width;
    kernels.copyHeads(data.byteOffset, 4 * width, 0, out, 4 * to.width, 0, rows, 1, 4 * width);
    return;
  }
  for (let row = 0, at = to.offset; at < to.data.length; row++, at += to.width) {
    to.data.set(data.subarray(row * width, (row + 1) * width), at);
  }
}
