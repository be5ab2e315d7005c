// A group of four quantized rows (quantized-rows.ts) times four unpacked rows of a matrix (unpacked-rows.ts). In the
// products with one row of the matrix, each row of the group has a lane.

import { addScaled, addTimes, sixteenBitOnes, times } from "./dots";
import { correctionsAndScales, groupBytes } from "./quantized-rows";
import { scalesOfRows, unpackedBytes, unpackedRowBytes } from "./unpacked-rows";
import { loadEach, storeEach } from "../../vectors";

/**
 * The group by some blocks of the four rows, with weights of 4 bits. Addresses are in bytes.
 *
 * @param x the group's first of these blocks
 * @param room the four rows, as `unpackRows4` wrote them
 * @param isBegun whether `out` has the sums over earlier blocks, to which these are added
 * @param outBytes from one row of `out` to the next
 * @param toOutput bytes from the output for a row of the matrix to that for the next
 */
export function fourRows4(
  x: usize,
  room: usize,
  blocks: usize,
  isBegun: bool,
  out: usize,
  outBytes: usize,
  toOutput: usize,
): void {
  fourRows(4, x, room, blocks, isBegun, out, outBytes, toOutput);
}

/** Likewise, with weights of 8 bits. */
export function fourRows8(
  x: usize,
  room: usize,
  blocks: usize,
  isBegun: bool,
  out: usize,
  outBytes: usize,
  toOutput: usize,
): void {
  fourRows(8, x, room, blocks, isBegun, out, outBytes, toOutput);
}

@inline
function fourRows(
  bits: usize,
  x: usize,
  room: usize,
  blocks: usize,
  isBegun: bool,
  out: usize,
  outBytes: usize,
  toOutput: usize,
): void {
  const row = unpackedRowBytes(bits);
  const ones = sixteenBitOnes();
  const zeros = f32x4.splat(0);
  const third = out + 2 * toOutput;
  let a = isBegun ? loadEach(out, outBytes) : zeros;
  let b = isBegun ? loadEach(out + toOutput, outBytes) : zeros;
  let c = isBegun ? loadEach(third, outBytes) : zeros;
  let d = isBegun ? loadEach(third + toOutput, outBytes) : zeros;
  for (const end = x + blocks * groupBytes(bits, 4); x < end; x += groupBytes(bits, 4)) {
    const correction = v128.load(x);
    const scale = v128.load(x, 16);
    const q = x + correctionsAndScales;
    const w = room + scalesOfRows;
    a = addScaled(bits, a, dots(bits, q, w), ones, correction, v128.load32_splat(room), scale);
    b = addScaled(bits, b, dots(bits, q, w + row), ones, correction, v128.load32_splat(room, 4), scale);
    c = addScaled(bits, c, dots(bits, q, w + 2 * row), ones, correction, v128.load32_splat(room, 8), scale);
    d = addScaled(bits, d, dots(bits, q, w + 3 * row), ones, correction, v128.load32_splat(room, 12), scale);
    room += unpackedBytes(bits);
  }
  storeEach(out, outBytes, a);
  storeEach(out + toOutput, outBytes, b);
  storeEach(third, outBytes, c);
  storeEach(third + toOutput, outBytes, d);
}

/** A block of each row of the group by a block of a row of the matrix; lanes are as in `times`. */
@inline
function dots(bits: usize, q: usize, w: usize): v128 {
  let sum = times(bits, v128.load(q), v128.load32_splat(w));
  sum = addTimes(bits, sum, v128.load(q, 16), v128.load32_splat(w, 4));
  sum = addTimes(bits, sum, v128.load(q, 32), v128.load32_splat(w, 8));
  sum = addTimes(bits, sum, v128.load(q, 48), v128.load32_splat(w, 12));
  sum = addTimes(bits, sum, v128.load(q, 64), v128.load32_splat(w, 16));
  sum = addTimes(bits, sum, v128.load(q, 80), v128.load32_splat(w, 20));
  sum = addTimes(bits, sum, v128.load(q, 96), v128.load32_splat(w, 24));
  sum = addTimes(bits, sum, v128.load(q, 112), v128.load32_splat(w, 28));
  if (bits === 4) return sum;
  sum = addTimes(bits, sum, v128.load(q, 128), v128.load32_splat(w, 32));
  sum = addTimes(bits, sum, v128.load(q, 144), v128.load32_splat(w, 36));
  sum = addTimes(bits, sum, v128.load(q, 160), v128.load32_splat(w, 40));
  sum = addTimes(bits, sum, v128.load(q, 176), v128.load32_splat(w, 44));
  sum = addTimes(bits, sum, v128.load(q, 192), v128.load32_splat(w, 48));
  sum = addTimes(bits, sum, v128.load(q, 208), v128.load32_splat(w, 52));
  sum = addTimes(bits, sum, v128.load(q, 224), v128.load32_splat(w, 56));
  sum = addTimes(bits, sum, v128.load(q, 240), v128.load32_splat(w, 60));
  return sum;
}
