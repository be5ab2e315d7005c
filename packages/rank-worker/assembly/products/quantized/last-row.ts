// The last of an odd number of quantized rows (quantized-rows.ts) times four unpacked rows of a matrix
// (unpacked-rows.ts). After each block, the sums of the four share a vector.

import { addScaled, addTimes, sixteenBitOnes, sumPairs, times } from "./dots";
import { correctionsAndScales, groupBytes } from "./quantized-rows";
import { scalesOfRows, unpackedBytes, unpackedRowBytes } from "./unpacked-rows";
import { loadEach, storeEach } from "../../vectors";

/** The row by some blocks of the four rows, with weights of 4 bits; see `fourRows4`. */
export function lastRow4(
  x: usize,
  room: usize,
  blocks: usize,
  isBegun: bool,
  out: usize,
  toOutput: usize,
): void {
  lastRow(4, x, room, blocks, isBegun, out, toOutput);
}

/** Likewise, with weights of 8 bits. */
export function lastRow8(
  x: usize,
  room: usize,
  blocks: usize,
  isBegun: bool,
  out: usize,
  toOutput: usize,
): void {
  lastRow(8, x, room, blocks, isBegun, out, toOutput);
}

@inline
function lastRow(
  bits: usize,
  x: usize,
  room: usize,
  blocks: usize,
  isBegun: bool,
  out: usize,
  toOutput: usize,
): void {
  const row = unpackedRowBytes(bits);
  const ones = sixteenBitOnes();
  let sum = isBegun ? loadEach(out, toOutput) : f32x4.splat(0);
  for (const end = x + blocks * groupBytes(bits, 1); x < end; x += groupBytes(bits, 1)) {
    const q = x + correctionsAndScales;
    const w = room + scalesOfRows;
    const first = sumPairs(bits, dots(bits, q, w), dots(bits, q, w + row));
    const second = sumPairs(bits, dots(bits, q, w + 2 * row), dots(bits, q, w + 3 * row));
    const all = sumPairs(bits, first, second);
    sum = addScaled(bits, sum, all, ones, v128.load(x), v128.load(room), v128.load(x, 16));
    room += unpackedBytes(bits);
  }
  storeEach(out, toOutput, sum);
}

/** A block of the row by a block of a row of the matrix. */
@inline
function dots(bits: usize, q: usize, w: usize): v128 {
  let sum = times(bits, v128.load(q), v128.load(w));
  sum = addTimes(bits, sum, v128.load(q, 16), v128.load(w, 16));
  if (bits === 4) return sum;
  sum = addTimes(bits, sum, v128.load(q, 32), v128.load(w, 32));
  sum = addTimes(bits, sum, v128.load(q, 48), v128.load(w, 48));
  return sum;
}
