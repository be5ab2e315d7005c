// One quantized row (quantized-rows.ts) times rows of a matrix, four of which are taken side by side.
//
// A decode step does little else, and its time should be that of reading the weights. The four come one from each
// quarter of the matrix (quarters.ts). From each block on, sums of the four share a vector, which takes fewer instructions
// than one sum for each, and few enough registers: with four of each, V8 keeps some of them in memory.

import { dot4, dot8, lowHalves, sixteenBitOnes, sumEach4, sumEach8 } from "./dots";
import { storeEach } from "../quarters";
import { oneBytes4, oneBytes8 } from "./quantized-rows";
import { madd } from "../../vectors";

/**
 * `count` rows of each quarter, of weights of 4 bits. Addresses are in bytes.
 *
 * @param values of the first row
 * @param toQuarter bytes of values from it to that of the next quarter; or 0, and all of them are the first
 * @param toOutput bytes from a quarter's first output to the next one's; likewise
 */
export function oneRow4(
  x: usize,
  values: usize,
  toQuarter: usize,
  scales: usize,
  out: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  const low = lowHalves();
  const ones = sixteenBitOnes();
  for (const end = out + (count << 2); out < end; out += 4) {
    const rowEnd = values + (blocks << 4);
    let at = x;
    let sum = f32x4.splat(0);
    do {
      const even = v128.load(at);
      const odd = v128.load(at, 16);
      const second = values + toQuarter;
      const third = second + toQuarter;
      const a = halvesTimes(values, even, odd, low);
      const b = halvesTimes(second, even, odd, low);
      const c = halvesTimes(third, even, odd, low);
      const d = halvesTimes(third + toQuarter, even, odd, low);
      const dots = i32x4.add(sumEach4(a, b, c, d, ones), v128.load(at, 32));
      const scale = f32x4.mul(scaleOfEach(scales, toQuarter >> 2), v128.load(at, 48));
      sum = madd(f32x4.convert_i32x4_s(dots), scale, sum);
      at += oneBytes4;
      values += 16;
      scales += 4;
    } while (values < rowEnd);
    storeEach(out, toOutput, sum);
  }
}

/** Likewise, of weights of 8 bits. */
export function oneRow8(
  x: usize,
  values: usize,
  toQuarter: usize,
  scales: usize,
  out: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  for (const end = out + (count << 2); out < end; out += 4) {
    const rowEnd = values + (blocks << 5);
    let at = x;
    let sum = f32x4.splat(0);
    do {
      const q0 = v128.load(at);
      const q1 = v128.load(at, 16);
      const q2 = v128.load(at, 32);
      const q3 = v128.load(at, 48);
      const second = values + toQuarter;
      const third = second + toQuarter;
      const a = bytesTimes(values, q0, q1, q2, q3);
      const b = bytesTimes(second, q0, q1, q2, q3);
      const c = bytesTimes(third, q0, q1, q2, q3);
      const d = bytesTimes(third + toQuarter, q0, q1, q2, q3);
      const dots = i32x4.add(sumEach8(a, b, c, d), v128.load(at, 64));
      const scale = f32x4.mul(scaleOfEach(scales, toQuarter >> 3), v128.load(at, 80));
      sum = madd(f32x4.convert_i32x4_s(dots), scale, sum);
      at += oneBytes8;
      values += 32;
      scales += 4;
    } while (values < rowEnd);
    storeEach(out, toOutput, sum);
  }
}

@inline
function halvesTimes(values: usize, even: v128, odd: v128, low: v128): v128 {
  const weights = v128.load(values);
  return dot4(v128.and(weights, low), v128.and(i16x8.shr_u(weights, 4), low), even, odd);
}

@inline
function bytesTimes(values: usize, q0: v128, q1: v128, q2: v128, q3: v128): v128 {
  const w0 = v128.load_ext<u8>(values);
  const w1 = v128.load_ext<u8>(values, 8);
  const w2 = v128.load_ext<u8>(values, 16);
  const w3 = v128.load_ext<u8>(values, 24);
  return dot8(w0, w1, w2, w3, q0, q1, q2, q3);
}

/** A block's scale of each quarter. */
@inline
function scaleOfEach(at: usize, toQuarter: usize): v128 {
  const second = at + toQuarter;
  const third = second + toQuarter;
  let scales = v128.load_zero<f32>(at);
  scales = v128.load_lane<f32>(second, scales, 1);
  scales = v128.load_lane<f32>(third, scales, 2);
  return v128.load_lane<f32>(third + toQuarter, scales, 3);
}
