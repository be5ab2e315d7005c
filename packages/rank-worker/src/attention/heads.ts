import type { RankKernels } from "../kernels/rank-kernels.js";

/** Where heads are, in elements: the `offset` of the first one, and the distances between rows and between heads. */
export interface HeadPlaces {
  readonly data: Float32Array;
  readonly offset: number;
  readonly row: number;
  readonly head: number;
}

/** The rotation of heads: both `[rows, lanes / 2]`. */
export interface Angles {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
  readonly lanes: number;
  readonly interleaved: boolean;
}

/** Heads of adjacent rows. */
interface Heads {
  readonly rows: number;
  /** Of a row. */
  readonly heads: number;
  /** Elements of a head, or of several heads that stay together. */
  readonly length: number;
}

/**
 * Copies the heads of rows to another layout: by the kernel (assembly/attention/heads.ts) if everything is in its
 * memory, else by plain code.
 */
export function copyHeads(
  kernels: RankKernels | undefined,
  from: HeadPlaces,
  to: HeadPlaces,
  { rows, heads, length }: Heads,
): void {
  if (kernels?.memory.holds(from.data) && kernels.memory.holds(to.data)) {
    kernels.copyHeads(
      from.data.byteOffset + 4 * from.offset,
      4 * from.row,
      4 * from.head,
      to.data.byteOffset + 4 * to.offset,
      4 * to.row,
      4 * to.head,
      rows,
      heads,
      4 * length,
    );
    return;
  }
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const start = from.offset + row * from.row + head * from.head;
      to.data.set(from.data.subarray(start, start + length), to.offset + row * to.row + head * to.head);
    }
  }
}

/**
 * Rotates every head of every row by the rotary position embedding (https://arxiv.org/abs/2104.09864), in place; by the
 * kernel if everything is in its memory.
 *
 * @param rows rows with heads of `lanes`, one after the other
 * @param width elements of a row
 */
export function rotateHeads(
  kernels: RankKernels | undefined,
  rows: Float32Array,
  width: number,
  lanes: number,
  angles: Angles,
): void {
  const { cos, sin, interleaved } = angles;
  if ([rows, cos, sin].every((data) => kernels?.memory.holds(data))) {
    kernels!.rotateHeads(
      rows.byteOffset,
      rows.length / width,
      width / lanes,
      lanes,
      angles.lanes,
      interleaved,
      cos.byteOffset,
      sin.byteOffset,
    );
    return;
  }
  const half = angles.lanes / 2;
  // Lanes are rotated in pairs: (i, i + half), or neighbours (2i, 2i + 1).
  const step = interleaved ? 2 : 1;
  const partner = interleaved ? 1 : half;
  for (let start = 0, angle = 0; start < rows.length; start += width, angle += half) {
    for (let head = start; head < start + width; head += lanes) {
      for (let pair = 0, at = head; pair < half; pair++, at += step) {
        const a = rows[at]!;
        const b = rows[at + partner]!;
        const c = cos[angle + pair]!;
        const s = sin[angle + pair]!;
        rows[at] = a * c - b * s;
        rows[at + partner] = b * c + a * s;
      }
    }
  }
}
