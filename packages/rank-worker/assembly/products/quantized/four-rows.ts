// A group of four quantized rows (quantized-rows.ts) times four unpacked rows of a matrix (unpacked-rows.ts): of what a
// row of the matrix makes, each of the group has a lane.

import { addScaled, addTimes, sixteenBitOnes, times } from "./dots";
import { correctionsAndScales, groupBytes } from "./quantized-rows";
import { loadEach, storeEach } from "../streams";
import { scalesOfRows, unpackedBytes, unpackedRowBytes } from "./unpacked-rows";

/**
 * Blocks of the group by those of the four rows, of weights of 4 bits. Addresses are in bytes.
 *
 * @param room of `unpackRows4`
 * @param isBegun whether `out` has the products of the blocks before these, to which they are added
 * @param outBytes from a row of outputs to the next
 * @param toOutput bytes from the output of a row of the matrix to that of the next one
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

/** Likewise, by weights of 8 bits. */
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

/** A block of each of the four by one of the matrix, in lanes as wide as whole numbers of 32 bits, or twice 16. */
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
