import type { HeadsInRow } from "@ringrank/policy";

/** What turns heads: `[rows, lanes / 2]` both. */
export interface Angles {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
  readonly lanes: number;
  readonly interleaved: boolean;
}

/** Which heads of a projection: so many for each head of keys and values, one after the other. */
export interface Heads {
  readonly keyValueHeads: number;
  readonly group: number;
  readonly lanes: number;
}

/**
 * The heads of a projection, row by row with nothing between them, turned by the rotary position embedding
 * (https://arxiv.org/abs/2104.09864) if there are angles.
 *
 * @returns `[rows, keyValueHeads · group · lanes]`; the projection itself where that is what it is
 */
export function layRows(
  projection: Float32Array,
  { rowWidth, offset, headStride }: HeadsInRow,
  { keyValueHeads, group, lanes }: Heads,
  angles?: Angles,
): Float32Array {
  const together = group * lanes;
  const width = keyValueHeads * together;
  if (rowWidth === width && headStride === together && angles === undefined) return projection;
  const rows = projection.length / rowWidth;
  const laid = new Float32Array(rows * width);
  for (let row = 0, to = 0; row < rows; row++) {
    for (let head = 0; head < keyValueHeads; head++, to += together) {
      const from = row * rowWidth + offset + head * headStride;
      laid.set(projection.subarray(from, from + together), to);
    }
  }
  if (angles !== undefined) turn(laid, width, lanes, angles);
  return laid;
}

/** Every head of every row, in place. */
function turn(rows: Float32Array, width: number, lanes: number, angles: Angles): void {
  const { cos, sin, interleaved } = angles;
  const half = angles.lanes / 2;
  // Lanes turn in pairs (i, i + half), or of neighbours (2i, 2i + 1).
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
