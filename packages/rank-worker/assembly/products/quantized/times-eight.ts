// A few quantized rows that are kept apart (quantized-rows.ts) times eight rows of a matrix, block by block. Four bytes
// of each of the eight lie side by side in a pair of vectors, from which V8 makes one of 256 bits: each row of the matrix
// has a lane from the first product on, and what a pair is multiplied by are the same four bytes of a row, over and over.
//
// Such pairs are made of what is loaded of the matrix, and stay in registers for all rows. So the matrix is read
// steadily, while it is multiplied, and nothing but sums is stored.

import { dotBytes } from "./dot-bytes";
import { addScaled, lowHalves, sixteenBitOnes, sixteenBitSixteens } from "./dots";
import { apartBlockBytes } from "./quantized-rows";
import { fourScalesOf } from "./scales";
import { firstLanes, fourthLanes, secondLanes, storePair, thirdLanes } from "../../vectors";

/** Bytes of the sums that a row makes with eight. */
export const sumsOfEight: usize = 32;

/**
 * Multiplies up to eight rows. Weights have as many bits as a `Bits` has bytes, 4 or 8; `Scale` is u16 or f32
 * (scales.ts). Addresses are in bytes.
 *
 * @param left how many rows are left
 * @param x the first of them
 * @param toNextBlock bytes from a block of it to the next
 * @param values of the first row of the matrix
 * @param toNext bytes of values from each row to the next; or 0, and all of them are the first
 * @param toOthers likewise, from the first four rows to the others
 * @param scales of all eight, block by block
 * @param out the sums of each row
 * @returns how many rows it has multiplied; if more than are left, what is behind the rows counts as one, and `out` has
 *   room for its sums
 */
export function timesEight<Bits, Scale>(
  left: usize,
  x: usize,
  toNextBlock: usize,
  values: usize,
  toNext: usize,
  toOthers: usize,
  scales: usize,
  blocks: usize,
  out: usize,
): usize {
  if (left > 6) return rowsTimesEight<u64, Bits, Scale>(x, toNextBlock, values, toNext, toOthers, scales, blocks, out);
  if (left > 2) return rowsTimesEight<u32, Bits, Scale>(x, toNextBlock, values, toNext, toOthers, scales, blocks, out);
  if (left === 2) return rowsTimesEight<u16, Bits, Scale>(x, toNextBlock, values, toNext, toOthers, scales, blocks, out);
  return rowsTimesEight<u8, Bits, Scale>(x, toNextBlock, values, toNext, toOthers, scales, blocks, out);
}

/**
 * As many rows as a `Rows` has bytes. Numbers that are types make a function for each, which keeps the compiler from
 * joining their loops to one with branches.
 */
function rowsTimesEight<Rows, Bits, Scale>(
  x: usize,
  toNextBlock: usize,
  values: usize,
  toNext: usize,
  toOthers: usize,
  scales: usize,
  blocks: usize,
  out: usize,
): usize {
  return multiply<Scale>(sizeof<Bits>(), sizeof<Rows>(), x, toNextBlock, values, toNext, toOthers, scales, blocks, out);
}

/** @returns `rows` */
@inline
function multiply<Scale>(
  bits: usize,
  rows: usize,
  x: usize,
  toNextBlock: usize,
  values: usize,
  toNext: usize,
  toOthers: usize,
  scales: usize,
  blocks: usize,
  out: usize,
): usize {
  const low = lowHalves();
  const ones = sixteenBitOnes();
  const sixteens = sixteenBitSixteens();
  const each = apartBlockBytes(bits);
  // Of each row, the sums with the first four rows of the matrix, and with the others.
  let a = f32x4.splat(0);
  let aOthers = f32x4.splat(0);
  let b = f32x4.splat(0);
  let bOthers = f32x4.splat(0);
  let c = f32x4.splat(0);
  let cOthers = f32x4.splat(0);
  let d = f32x4.splat(0);
  let dOthers = f32x4.splat(0);
  let e = f32x4.splat(0);
  let eOthers = f32x4.splat(0);
  let f = f32x4.splat(0);
  let fOthers = f32x4.splat(0);
  let g = f32x4.splat(0);
  let gOthers = f32x4.splat(0);
  let h = f32x4.splat(0);
  let hOthers = f32x4.splat(0);
  for (const end = scales + blocks * 8 * sizeof<Scale>(); scales < end; scales += 8 * sizeof<Scale>()) {
    // Sixteen bytes of each of the eight: all of 4 bits, or half of 8. With 4 bits, lower halves are even elements.
    const others = values + toOthers;
    const p = v128.load(values);
    const q = v128.load(values + toNext);
    const r = v128.load(values + 2 * toNext);
    const s = v128.load(values + 3 * toNext);
    const t = v128.load(others);
    const u = v128.load(others + toNext);
    const v = v128.load(others + 2 * toNext);
    const w = v128.load(others + 3 * toNext);
    const w0 = lower(bits, firstLanes(p, q, r, s), low);
    const o0 = lower(bits, firstLanes(t, u, v, w), low);
    const w1 = lower(bits, secondLanes(p, q, r, s), low);
    const o1 = lower(bits, secondLanes(t, u, v, w), low);
    const w2 = lower(bits, thirdLanes(p, q, r, s), low);
    const o2 = lower(bits, thirdLanes(t, u, v, w), low);
    const w3 = lower(bits, fourthLanes(p, q, r, s), low);
    const o3 = lower(bits, fourthLanes(t, u, v, w), low);
    // The upper halves, or the other half.
    const pNext = bits === 4 ? p : v128.load(values, 16);
    const qNext = bits === 4 ? q : v128.load(values + toNext, 16);
    const rNext = bits === 4 ? r : v128.load(values + 2 * toNext, 16);
    const sNext = bits === 4 ? s : v128.load(values + 3 * toNext, 16);
    const tNext = bits === 4 ? t : v128.load(others, 16);
    const uNext = bits === 4 ? u : v128.load(others + toNext, 16);
    const vNext = bits === 4 ? v : v128.load(others + 2 * toNext, 16);
    const wNext = bits === 4 ? w : v128.load(others + 3 * toNext, 16);
    const w4 = upper(bits, firstLanes(pNext, qNext, rNext, sNext), low);
    const o4 = upper(bits, firstLanes(tNext, uNext, vNext, wNext), low);
    const w5 = upper(bits, secondLanes(pNext, qNext, rNext, sNext), low);
    const o5 = upper(bits, secondLanes(tNext, uNext, vNext, wNext), low);
    const w6 = upper(bits, thirdLanes(pNext, qNext, rNext, sNext), low);
    const o6 = upper(bits, thirdLanes(tNext, uNext, vNext, wNext), low);
    const w7 = upper(bits, fourthLanes(pNext, qNext, rNext, sNext), low);
    const o7 = upper(bits, fourthLanes(tNext, uNext, vNext, wNext), low);
    const scale = fourScalesOf<Scale>(scales);
    const otherScale = fourScalesOf<Scale>(scales + 4 * sizeof<Scale>());
    a = addRow(bits, a, x, scale, w0, w1, w2, w3, w4, w5, w6, w7, ones, sixteens);
    aOthers = addRow(bits, aOthers, x, otherScale, o0, o1, o2, o3, o4, o5, o6, o7, ones, sixteens);
    if (rows > 1) {
      b = addRow(bits, b, x + each, scale, w0, w1, w2, w3, w4, w5, w6, w7, ones, sixteens);
      bOthers = addRow(bits, bOthers, x + each, otherScale, o0, o1, o2, o3, o4, o5, o6, o7, ones, sixteens);
    }
    if (rows > 2) {
      c = addRow(bits, c, x + 2 * each, scale, w0, w1, w2, w3, w4, w5, w6, w7, ones, sixteens);
      cOthers = addRow(bits, cOthers, x + 2 * each, otherScale, o0, o1, o2, o3, o4, o5, o6, o7, ones, sixteens);
      d = addRow(bits, d, x + 3 * each, scale, w0, w1, w2, w3, w4, w5, w6, w7, ones, sixteens);
      dOthers = addRow(bits, dOthers, x + 3 * each, otherScale, o0, o1, o2, o3, o4, o5, o6, o7, ones, sixteens);
    }
    if (rows > 4) {
      e = addRow(bits, e, x + 4 * each, scale, w0, w1, w2, w3, w4, w5, w6, w7, ones, sixteens);
      eOthers = addRow(bits, eOthers, x + 4 * each, otherScale, o0, o1, o2, o3, o4, o5, o6, o7, ones, sixteens);
      f = addRow(bits, f, x + 5 * each, scale, w0, w1, w2, w3, w4, w5, w6, w7, ones, sixteens);
      fOthers = addRow(bits, fOthers, x + 5 * each, otherScale, o0, o1, o2, o3, o4, o5, o6, o7, ones, sixteens);
      g = addRow(bits, g, x + 6 * each, scale, w0, w1, w2, w3, w4, w5, w6, w7, ones, sixteens);
      gOthers = addRow(bits, gOthers, x + 6 * each, otherScale, o0, o1, o2, o3, o4, o5, o6, o7, ones, sixteens);
      h = addRow(bits, h, x + 7 * each, scale, w0, w1, w2, w3, w4, w5, w6, w7, ones, sixteens);
      hOthers = addRow(bits, hOthers, x + 7 * each, otherScale, o0, o1, o2, o3, o4, o5, o6, o7, ones, sixteens);
    }
    x += toNextBlock;
    values += bits << 2;
  }
  storePair(out, a, aOthers);
  if (rows > 1) {
    storePair(out + sumsOfEight, b, bOthers);
  }
  if (rows > 2) {
    storePair(out + 2 * sumsOfEight, c, cOthers);
    storePair(out + 3 * sumsOfEight, d, dOthers);
  }
  if (rows > 4) {
    storePair(out + 4 * sumsOfEight, e, eOthers);
    storePair(out + 5 * sumsOfEight, f, fOthers);
    storePair(out + 6 * sumsOfEight, g, gOthers);
    storePair(out + 7 * sumsOfEight, h, hOthers);
  }
  return rows;
}

/** The first of what sixteen bytes of four rows make: lower halves of 4 bits, or all of 8. */
@inline
function lower(bits: usize, bytes: v128, low: v128): v128 {
  return bits === 4 ? v128.and(bytes, low) : bytes;
}

/** The upper halves of 4 bits, or all of 8. */
@inline
function upper(bits: usize, bytes: v128, low: v128): v128 {
  return bits === 4 ? v128.and(i16x8.shr_u(bytes, 4), low) : bytes;
}

/** `sum` plus the products of a block of a row by one of each of four rows of the matrix. */
@inline
function addRow(
  bits: usize,
  sum: v128,
  x: usize,
  weightScale: v128,
  w0: v128,
  w1: v128,
  w2: v128,
  w3: v128,
  w4: v128,
  w5: v128,
  w6: v128,
  w7: v128,
  ones: v128,
  sixteens: v128,
): v128 {
  let parts = dots(x, w0, w1, w2, w3, w4, w5, w6, w7);
  if (bits === 8) {
    const upperParts = upperDots(x, w0, w1, w2, w3, w4, w5, w6, w7);
    parts = i32x4.add(i32x4.dot_i16x8_s(parts, ones), i32x4.dot_i16x8_s(upperParts, sixteens));
  }
  return addScaled(bits, sum, parts, ones, v128.load32_splat(x), weightScale, v128.load32_splat(x, 16));
}

// Both begin with the address of the block, since V8 only sees that pairs are multiplied by the same if the compiler
// cannot write that address in two ways. Sums of sixteen products stay within 16 bits: see `addScaled`, and
// quantized-rows.ts.

/** Of all of 4 bits, or of the lower parts of 8. */
@inline
function dots(x: usize, w0: v128, w1: v128, w2: v128, w3: v128, w4: v128, w5: v128, w6: v128, w7: v128): v128 {
  let sum = dotBytes(v128.load32_splat(x, 32), w0);
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 36), w1));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 40), w2));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 44), w3));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 48), w4));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 52), w5));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 56), w6));
  return i16x8.add(sum, dotBytes(v128.load32_splat(x, 60), w7));
}

/** Of the upper parts of 8 bits. */
@inline
function upperDots(x: usize, w0: v128, w1: v128, w2: v128, w3: v128, w4: v128, w5: v128, w6: v128, w7: v128): v128 {
  let sum = dotBytes(v128.load32_splat(x, 64), w0);
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 68), w1));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 72), w2));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 76), w3));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 80), w4));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 84), w5));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(x, 88), w6));
  return i16x8.add(sum, dotBytes(v128.load32_splat(x, 92), w7));
}
