// Rows of activations, rounded to int8 in blocks of 32 (the last one padded with zeros): x ≈ scale · q with
// scale = max |x| / 127, as MatMulNBits rounds them at accuracy level 4
// (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits).
// A product with a block of weights is then scale · scale_w · (Σ q · w − zero · Σ q). The sums are integers, and the
// second one is the same for all rows of a matrix. All numbers of a block lie together, so that a loop over blocks has
// a single address to advance. This is the block of one row, whose second sum and scale are there four times:
//
//   for 4 bits      −8 · Σ q, int32 ×4   │ scale ×4 │ q of even elements, int8 ×16 │ of odd ones      64 bytes
//   for 8 bits      −128 · Σ q, int32 ×4 │ scale ×4 │ q, int16 ×8 │ ×8 │ ×8 │ ×8                      96 bytes
//
// Several rows are kept apart for eight-rows.ts: the first block of each of them, then the second one of each. With 8
// bits, their q = 16 · upper + lower are taken apart, since products of bytes are as many again as those of 16 bits, and
// sixteen products of any byte of weights by a part of q can be added up in 16 bits: 16 · 255 · 8 is less than 2¹⁵.
//
//   for 4 bits      as above
//   for 8 bits      as above │ lower, int8 ×16 │ ×16 │ upper, int8 ×16 │ ×16                          96 bytes
//
// Or they are kept for several-rows.ts in groups of four, and what is left of them as a group of two, or one row. A group
// of four has four times as many vectors of q, in which each row has a quarter; a group of two has twice as many, in
// which each has a half. The lanes of sums and scales belong to the first, second, third and fourth row; or to the first,
// second, first and second.
//
// If x has an infinity or NaN, the scale is not finite, and no product of the row is. MatMulNBits itself sometimes
// returns finite numbers then.

import { dotBytes } from "./dot-bytes";
import { blockBytes, whole } from "./blocks";
import { constant, magnitudeBits, rounded, rounding } from "../../vectors";

/** The zero points of weights of 4 and 8 bits, negated. They are in memory for `constant`. */
const zeroPoints4 = memory.data<i16>([-8, -8]);
const zeroPoints8 = memory.data<i16>([-128, -128]);

/** How many of `left` rows are kept as a group: four, two, or one. */
@inline
export function groupSize(left: usize): usize {
  return left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/** Bytes of a block's sums and scales. */
export const correctionsAndScales: usize = 32;

/** Bytes of a block of a group of `size` rows. */
@inline
export function groupBytes(bits: usize, size: usize): usize {
  return correctionsAndScales + size * qBytes(bits);
}

/** Bytes of a block of one of several rows that are kept apart. */
@inline
export function apartBlockBytes(bits: usize): usize {
  return correctionsAndScales + qBytes(bits);
}

/** Bytes of q in a block of one row. */
@inline
function qBytes(bits: usize): usize {
  return bits << 3;
}

/**
 * Bytes of quantized rows.
 *
 * @param isApart whether several rows are kept apart
 */
@inline
export function rowsBytes(bits: usize, rows: usize, blocks: usize, isApart: bool): usize {
  if (isApart && rows > 1) return blocks * rows * apartBlockBytes(bits);
  const groups = (rows >> 2) + popcnt(rows & 3);
  return blocks * (groups * correctionsAndScales + rows * qBytes(bits));
}

/**
 * Quantizes adjacent rows of `width` floats for products with weights of 4 bits. Addresses are in bytes.
 *
 * @param isApart whether several rows are kept apart
 * @param out has room for another block of floats after the quantized rows
 */
export function quantize4(x: usize, rows: u32, width: u32, isApart: bool, out: usize): void {
  quantize(4, x, rows, width, isApart, out);
}

/** Likewise, for products with weights of 8 bits. */
export function quantize8(x: usize, rows: u32, width: u32, isApart: bool, out: usize): void {
  quantize(8, x, rows, width, isApart, out);
}

@inline
function quantize(bits: usize, x: usize, rows: usize, width: usize, isApart: bool, out: usize): void {
  const blocks = (width + 31) >> 5;
  const padded = out + rowsBytes(bits, rows, blocks, isApart);
  const areApart = isApart && rows > 1;
  for (let left = rows; left > 0; ) {
    const size: usize = areApart ? 1 : groupSize(left);
    const bytes = areApart ? rows * apartBlockBytes(bits) : groupBytes(bits, size);
    for (let row: usize = 0; row < size; row++, x += width << 2) {
      quantizeRow(bits, x, width << 2, size, row, areApart, bytes, out, padded);
    }
    out += areApart ? apartBlockBytes(bits) : blocks * bytes;
    left -= size;
  }
}

/**
 * Quantizes one row of a group.
 *
 * @param size rows of the group
 * @param row its index in the group
 * @param isApart whether it is kept apart
 * @param bytes from a block to the next one
 * @param padded room for a block of floats
 */
@inline
function quantizeRow(
  bits: usize,
  x: usize,
  rowBytes: usize,
  size: usize,
  row: usize,
  isApart: bool,
  bytes: usize,
  out: usize,
  padded: usize,
): void {
  for (let at: usize = 0; at < rowBytes; at += blockBytes, out += bytes) {
    const block = whole(x + at, rowBytes - at, padded);
    const most = largest(block);
    const inverse = f32x4.splat(most === 0 ? 0 : 127 / most);
    const q = out + correctionsAndScales + row * (16 / size);
    const correction =
      bits === 4
        ? writeEvenAndOdd(block, inverse, size, q)
        : isApart
          ? writeHalves(block, inverse, q)
          : writePairs(block, inverse, size, q);
    storeLanes(size, row, out, i32x4.splat(correction));
    storeLanes(size, row, out + 16, f32x4.splat(most / 127));
  }
}

/** Stores the same number in each lane that belongs to the row: one of four, two if there are two rows, or all. */
@inline
function storeLanes(size: usize, row: usize, out: usize, lanes: v128): void {
  if (size === 1) v128.store(out, lanes);
  else for (let lane = row; lane < 4; lane += size) v128.store_lane<i32>(out + (lane << 2), lanes, 0);
}

/** Stores each quarter of a vector (of two rows, each half; of one, all) in another one of the group's vectors. */
@inline
function storeSpread(size: usize, out: usize, q: v128): void {
  if (size === 1) v128.store(out, q);
  else if (size === 2) {
    v128.store_lane<i64>(out, q, 0);
    v128.store_lane<i64>(out, q, 1, 16);
  } else {
    v128.store_lane<i32>(out, q, 0);
    v128.store_lane<i32>(out, q, 1, 16);
    v128.store_lane<i32>(out, q, 2, 32);
    v128.store_lane<i32>(out, q, 3, 48);
  }
}

/** Writes the even elements of a block, then the odd ones, as bytes. @returns −8 · Σ q */
function writeEvenAndOdd(x: usize, inverse: v128, size: usize, out: usize): i32 {
  const first = sixteen(x, inverse);
  const second = sixteen(x + 64, inverse);
  const even = v128.shuffle<i8>(first, second, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const odd = v128.shuffle<i8>(first, second, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  storeSpread(size, out, even);
  storeSpread(size, out + (size << 4), odd);
  return sumTimes(even, odd, constant(zeroPoints4));
}

/** Writes the lower parts of a block, then the upper ones, as bytes. @returns −128 · Σ q */
function writeHalves(x: usize, inverse: v128, out: usize): i32 {
  const first = sixteen(x, inverse);
  const second = sixteen(x + 64, inverse);
  v128.store(out, lowerPart(first));
  v128.store(out, lowerPart(second), 16);
  v128.store(out, upperPart(first), 32);
  v128.store(out, upperPart(second), 48);
  return sumTimes(first, second, constant(zeroPoints8));
}

/** Of q = 16 · upper + lower, the lower part, from −8 to 7. */
@inline
function lowerPart(q: v128): v128 {
  const eights = i8x16.splat(8);
  return i8x16.sub(v128.and(i8x16.add(q, eights), i8x16.splat(15)), eights);
}

/** The upper part, from −8 to 8: (q + 8) / 16 rounded down, of which a half is added up, since q + 8 may be no int8. */
@inline
function upperPart(q: v128): v128 {
  return i8x16.shr_s(i8x16.add(i8x16.shr_s(q, 1), i8x16.splat(4)), 3);
}

/** @returns the sum of all bytes times a negated zero point */
@inline
function sumTimes(first: v128, second: v128, zeroPoints: v128): i32 {
  // Known to the compiler, so that what `dotBytes` makes of it without relaxed SIMD is known, too.
  const ones = i8x16.splat(1);
  const sums = i16x8.add(dotBytes(first, ones), dotBytes(second, ones));
  return sumLanes(i32x4.dot_i16x8_s(sums, zeroPoints));
}

/** Writes the elements of a block as 16 bits each, eight to a vector. @returns −128 · Σ q */
function writePairs(x: usize, inverse: v128, size: usize, out: usize): i32 {
  let sum = i32x4.splat(0);
  for (let at: usize = 0; at < blockBytes; at += 32, out += size << 4) {
    const q = eight(x + at, inverse);
    storeSpread(size, out, q);
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(q, constant(zeroPoints8)));
  }
  return sumLanes(sum);
}

/**
 * The largest magnitude of a block, NaN if there is one. Magnitudes of floats are in the same order as their bits taken
 * as integers, with those of NaN the largest, and the larger of two integers is found by one instruction.
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
  return v128.and(v128.load(x), constant(magnitudeBits));
}

/** Eight floats, rounded to int8 (halves to even) and stored as 16 bits. */
@inline
function eight(x: usize, inverse: v128): v128 {
  const addend = constant(rounding);
  return i16x8.narrow_i32x4_s(
    rounded(f32x4.mul(v128.load(x), inverse), addend),
    rounded(f32x4.mul(v128.load(x, 16), inverse), addend),
  );
}

/** Sixteen floats as int8: {@link eight}. */
@inline
function sixteen(x: usize, inverse: v128): v128 {
  return i8x16.narrow_i16x8_s(eight(x, inverse), eight(x + 32, inverse));
}

@inline
function sumLanes(x: v128): i32 {
  const pairs = i32x4.add(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}
