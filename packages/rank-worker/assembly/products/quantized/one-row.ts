// One quantized row (quantized-rows.ts) times rows of a matrix, eight of which are taken side by side.
//
// A decode step does little else, and its time should be that of reading the weights. The eight come one from each
// eighth of the matrix (streams.ts), four and then four: from each block on, sums of four share a vector, which takes
// fewer instructions than one sum for each, and few enough registers. The branch between the fours, which always goes
// the same way, keeps V8 from loading what all eight need at once, for which it has not the registers.

import { dot4, dot8, lowHalves, sixteenBitOnes, sumEach4, sumEach8 } from "./dots";
import { storeEach } from "../streams";
import { groupBytes } from "./quantized-rows";
import { fourScales } from "./scales";
import { madd } from "../../vectors";

/**
 * `count` rows of each stream, of weights of 4 bits. Addresses are in bytes.
 *
 * @param streams eight or four
 * @param values of the first row
 * @param toNext bytes of values from it to that of the next stream
 * @param scales of the first rows, side by side
 * @param scaleBytes of a scale
 * @param toOutput bytes from a stream's first output to the next one's
 */
export function oneRow4(
  x: usize,
  streams: usize,
  values: usize,
  toNext: usize,
  scales: usize,
  scaleBytes: usize,
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
    let others = f32x4.splat(0);
    do {
      sum = addFour4(sum, at, values, toNext, fourScales(scales, scaleBytes), low, ones);
      if (streams === 8) {
        const scale = fourScales(scales + 4 * scaleBytes, scaleBytes);
        others = addFour4(others, at, values + 4 * toNext, toNext, scale, low, ones);
      }
      at += groupBytes(4, 1);
      values += 16;
      scales += streams * scaleBytes;
    } while (values < rowEnd);
    storeEach(out, toOutput, sum);
    if (streams === 8) storeEach(out + 4 * toOutput, toOutput, others);
  }
}

/** Likewise, of weights of 8 bits. */
export function oneRow8(
  x: usize,
  streams: usize,
  values: usize,
  toNext: usize,
  scales: usize,
  scaleBytes: usize,
  out: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  for (const end = out + (count << 2); out < end; out += 4) {
    const rowEnd = values + (blocks << 5);
    let at = x;
    let sum = f32x4.splat(0);
    let others = f32x4.splat(0);
    do {
      sum = addFour8(sum, at, values, toNext, fourScales(scales, scaleBytes));
      if (streams === 8) {
        const scale = fourScales(scales + 4 * scaleBytes, scaleBytes);
        others = addFour8(others, at, values + 4 * toNext, toNext, scale);
      }
      at += groupBytes(8, 1);
      values += 32;
      scales += streams * scaleBytes;
    } while (values < rowEnd);
    storeEach(out, toOutput, sum);
    if (streams === 8) storeEach(out + 4 * toOutput, toOutput, others);
  }
}

/** A block of four rows of the matrix. */
@inline
function addFour4(sum: v128, x: usize, values: usize, toNext: usize, scales: v128, low: v128, ones: v128): v128 {
  const even = v128.load(x, 32);
  const odd = v128.load(x, 48);
  const second = values + toNext;
  const third = second + toNext;
  const a = halvesTimes(values, even, odd, low);
  const b = halvesTimes(second, even, odd, low);
  const c = halvesTimes(third, even, odd, low);
  const d = halvesTimes(third + toNext, even, odd, low);
  const dots = i32x4.add(sumEach4(a, b, c, d, ones), v128.load(x));
  const scale = f32x4.mul(scales, v128.load(x, 16));
  return madd(f32x4.convert_i32x4_s(dots), scale, sum);
}

@inline
function addFour8(sum: v128, x: usize, values: usize, toNext: usize, scales: v128): v128 {
  const q0 = v128.load(x, 32);
  const q1 = v128.load(x, 48);
  const q2 = v128.load(x, 64);
  const q3 = v128.load(x, 80);
  const second = values + toNext;
  const third = second + toNext;
  const a = bytesTimes(values, q0, q1, q2, q3);
  const b = bytesTimes(second, q0, q1, q2, q3);
  const c = bytesTimes(third, q0, q1, q2, q3);
  const d = bytesTimes(third + toNext, q0, q1, q2, q3);
  const dots = i32x4.add(sumEach8(a, b, c, d), v128.load(x));
  const scale = f32x4.mul(scales, v128.load(x, 16));
  return madd(f32x4.convert_i32x4_s(dots), scale, sum);
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
