// A group of two quantized rows (quantized-rows.ts) times four unpacked rows of a matrix (unpacked-rows.ts). In the
// products with one row of the matrix, each row of the group has two lanes, which are added up after each block. The
// sums of two rows of the matrix then share a vector.

import { addScaled, addTimes, sixteenBitOnes, sumPairs, times } from "./dots";
import { correctionsAndScales, groupBytes } from "./quantized-rows";
import { scalesOfRows, unpackedBytes, unpackedRowBytes } from "./unpacked-rows";

/** The group by some blocks of the four rows, with weights of 4 bits; see `fourRows4`. */
export function twoRows4(
  x: usize,
  room: usize,
  blocks: usize,
  isBegun: bool,
  out: usize,
  outBytes: usize,
  toOutput: usize,
): void {
  twoRows(4, x, room, blocks, isBegun, out, outBytes, toOutput);
}

/** Likewise, with weights of 8 bits. */
export function twoRows8(
  x: usize,
  room: usize,
  blocks: usize,
  isBegun: bool,
  out: usize,
  outBytes: usize,
  toOutput: usize,
): void {
  twoRows(8, x, room, blocks, isBegun, out, outBytes, toOutput);
}

@inline
function twoRows(
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
  let ab = isBegun ? loadPairs(out, outBytes, toOutput) : zeros;
  let cd = isBegun ? loadPairs(third, outBytes, toOutput) : zeros;
  for (const end = x + blocks * groupBytes(bits, 2); x < end; x += groupBytes(bits, 2)) {
    const correction = v128.load(x);
    const scale = v128.load(x, 16);
    const scales = v128.load(room);
    const q = x + correctionsAndScales;
    const w = room + scalesOfRows;
    const first = sumPairs(bits, dots(bits, q, w), dots(bits, q, w + row));
    const second = sumPairs(bits, dots(bits, q, w + 2 * row), dots(bits, q, w + 3 * row));
    const firstScales = v128.shuffle<f32>(scales, scales, 0, 0, 1, 1);
    const secondScales = v128.shuffle<f32>(scales, scales, 2, 2, 3, 3);
    ab = addScaled(bits, ab, first, ones, correction, firstScales, scale);
    cd = addScaled(bits, cd, second, ones, correction, secondScales, scale);
    room += unpackedBytes(bits);
  }
  storePairs(out, outBytes, toOutput, ab);
  storePairs(third, outBytes, toOutput, cd);
}

/** A block of both rows by a block of a row of the matrix. */
@inline
function dots(bits: usize, q: usize, w: usize): v128 {
  let sum = times(bits, v128.load(q), v128.load64_splat(w));
  sum = addTimes(bits, sum, v128.load(q, 16), v128.load64_splat(w, 8));
  sum = addTimes(bits, sum, v128.load(q, 32), v128.load64_splat(w, 16));
  sum = addTimes(bits, sum, v128.load(q, 48), v128.load64_splat(w, 24));
  if (bits === 4) return sum;
  sum = addTimes(bits, sum, v128.load(q, 64), v128.load64_splat(w, 32));
  sum = addTimes(bits, sum, v128.load(q, 80), v128.load64_splat(w, 40));
  sum = addTimes(bits, sum, v128.load(q, 96), v128.load64_splat(w, 48));
  sum = addTimes(bits, sum, v128.load(q, 112), v128.load64_splat(w, 56));
  return sum;
}

/** Loads what {@link storePairs} has stored. */
@inline
function loadPairs(out: usize, outBytes: usize, toOutput: usize): v128 {
  let lanes = v128.load_zero<f32>(out);
  lanes = v128.load_lane<f32>(out + outBytes, lanes, 1);
  lanes = v128.load_lane<f32>(out + toOutput, lanes, 2);
  return v128.load_lane<f32>(out + toOutput + outBytes, lanes, 3);
}

/** Stores the sums of both rows with one row of the matrix, then those with the next one. */
@inline
function storePairs(out: usize, outBytes: usize, toOutput: usize, lanes: v128): void {
  v128.store_lane<f32>(out, lanes, 0);
  v128.store_lane<f32>(out + outBytes, lanes, 1);
  v128.store_lane<f32>(out + toOutput, lanes, 2);
  v128.store_lane<f32>(out + toOutput + outBytes, lanes, 3);
}
