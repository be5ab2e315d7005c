// Rows of activations, rounded to int8 in blocks of 32 (the last one filled up with zeros): x ≈ scale · q with
// scale = max |x| / 127, as MatMulNBits rounds them at accuracy level 4
// (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits).
// A product with a block of weights is then scale · scale_w · (Σ q · w − zero · Σ q), the sums in whole numbers, the
// second one the same for all rows of a matrix. Rows are kept by fours, then one by one. What is needed for a block lies
// together, so that a loop over blocks has one address to move:
//
//   for 4 bits      q of even elements, int8 ×16 │ of odd ones │ −8 · Σ q, int32 ×4   │ scale ×4      64 bytes
//   for 8 bits      q, int16 ×8 │ ×8 │ ×8 │ ×8                 │ −128 · Σ q, int32 ×4 │ scale ×4      96 bytes
//
// for one row, whose sum and scale are there four times. For four, their q come one row after the other, then a sum and a
// scale of each: 160 and 288 bytes. Three rows are kept as four, the last of which has zeros.
//
// Where x has an infinity or NaN, its scale is none either, and so is every product: MatMulNBits itself gives numbers
// there, sometimes.

import { dotBytes } from "./dot-bytes";
import { blockBytes, whole } from "./blocks";

/** Bytes of a block of one row, or four. */
export const oneBytes4: usize = 64;
export const oneBytes8: usize = 96;
export const fourBytes4: usize = 160;
export const fourBytes8: usize = 288;

/** Bytes of q in a block. */
const q4: usize = 32;
const q8: usize = 64;

/** How many fours `rows` are kept as; what is left over is kept one by one. */
@inline
export function fours(rows: usize): usize {
  return (rows + 1) >> 2;
}

/**
 * Quantizes rows of `width` floats, one after the other, for weights of 4 bits. Addresses are in bytes.
 *
 * @param out has room for a block of floats behind what is written
 */
export function quantize4(x: usize, rows: u32, width: u32, out: usize): void {
  quantize(4, x, rows, width, out);
}

/** Likewise, for weights of 8 bits. */
export function quantize8(x: usize, rows: u32, width: u32, out: usize): void {
  quantize(8, x, rows, width, out);
}

@inline
function quantize(bits: usize, x: usize, rows: usize, width: usize, out: usize): void {
  const blocks = (width + 31) >> 5;
  const rowBytes = width << 2;
  const q = bits === 4 ? q4 : q8;
  const fourBytes = bits === 4 ? fourBytes4 : fourBytes8;
  const oneBytes = bits === 4 ? oneBytes4 : oneBytes8;
  const inFours = min(rows, fours(rows) << 2);
  const ones = out + fours(rows) * blocks * fourBytes;
  const end = ones + (rows - inFours) * blocks * oneBytes;
  if ((inFours & 3) !== 0) memory.fill(ones - blocks * fourBytes, 0, blocks * fourBytes);
  for (let row: usize = 0; row < inFours; row++, x += rowBytes) {
    const four = out + (row >> 2) * blocks * fourBytes;
    const inFour = row & 3;
    quantizeRow(bits, x, rowBytes, four + inFour * q, four + 4 * q + (inFour << 2), fourBytes, end);
  }
  for (let one = ones; one < end; one += blocks * oneBytes, x += rowBytes) {
    quantizeRow(bits, x, rowBytes, one, one + q, oneBytes, end);
  }
  for (let rest = ones + q; rest < end; rest += oneBytes) {
    v128.store(rest, v128.load_splat<i32>(rest));
    v128.store(rest, v128.load_splat<f32>(rest, 16), 16);
  }
}

/**
 * Writes the q of a row's blocks, and of each its sum and, 16 bytes behind that, its scale.
 *
 * @param step bytes from block to block
 * @param padded room for a block of floats
 */
@inline
function quantizeRow(
  bits: usize,
  x: usize,
  rowBytes: usize,
  q: usize,
  sum: usize,
  step: usize,
  padded: usize,
): void {
  for (let at: usize = 0; at < rowBytes; at += blockBytes, q += step, sum += step) {
    const block = whole(x + at, rowBytes - at, padded);
    const most = largest(block);
    const inverse = f32x4.splat(most === 0 ? 0 : 127 / most);
    store<i32>(sum, bits === 4 ? writeBytes(block, inverse, q) : writePairs(block, inverse, q));
    store<f32>(sum, most / 127, 16);
  }
}

/** Even elements of a block, then odd ones, as bytes. @returns −8 · Σ q */
function writeBytes(x: usize, inverse: v128, out: usize): i32 {
  const first = i8x16.narrow_i16x8_s(eight(x, inverse), eight(x + 32, inverse));
  const second = i8x16.narrow_i16x8_s(eight(x + 64, inverse), eight(x + 96, inverse));
  const even = v128.shuffle<i8>(first, second, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const odd = v128.shuffle<i8>(first, second, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  v128.store(out, even);
  v128.store(out, odd, 16);
  const ones = i8x16.splat(1);
  return sumLanes(i32x4.dot_i16x8_s(i16x8.add(dotBytes(even, ones), dotBytes(odd, ones)), i16x8.splat(-8)));
}

/** The elements of a block, by eights, as 16 bits each. @returns −128 · Σ q */
function writePairs(x: usize, inverse: v128, out: usize): i32 {
  let sum = i32x4.splat(0);
  for (let at: usize = 0; at < q8; at += 16) {
    const q = eight(x + 2 * at, inverse);
    v128.store(out + at, q);
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(q, i16x8.splat(-128)));
  }
  return sumLanes(sum);
}

/**
 * The largest magnitude of a block; NaN where there is one. Magnitudes of floats are in the order of their bits, as whole
 * numbers, of which the larger takes one instruction, and those of NaN are the largest.
 */
@inline
function largest(x: usize): f32 {
  let most = magnitudes(x);
  for (let at: usize = 16; at < blockBytes; at += 16) most = i32x4.max_s(most, magnitudes(x + at));
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  return f32x4.extract_lane(i32x4.max_s(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2)), 0);
}

@inline
function magnitudes(x: usize): v128 {
  return v128.and(v128.load(x), i32x4.splat(0x7fffffff));
}

/** Eight floats as int8, in 16 bits: to the nearest, halves to the even one. */
@inline
function eight(x: usize, inverse: v128): v128 {
  return i16x8.narrow_i32x4_s(rounded(v128.load(x), inverse), rounded(v128.load(x, 16), inverse));
}

/** Added to 1.5 · 2²³, a float is rounded to a whole number, which stands in the lowest bits of the sum. */
@inline
function rounded(x: v128, inverse: v128): v128 {
  const rounding = f32x4.splat(12582912);
  return i32x4.sub(f32x4.add(f32x4.mul(x, inverse), rounding), rounding);
}

@inline
function sumLanes(x: v128): i32 {
  const pairs = i32x4.add(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}
