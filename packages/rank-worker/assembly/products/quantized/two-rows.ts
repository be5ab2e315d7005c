// Two quantized rows (quantized-rows.ts, kept one by one) times rows of a matrix of 4 bits, two of which are taken side by
// side: weights are unpacked, and activations loaded, once for two products each. Of 8 bits, which there is nothing to
// unpack of, one row after the other was as fast.

import { dot4, lowHalves, sixteenBitOnes, sumEach4 } from "./dots";
import { oneBytes4 } from "./quantized-rows";
import { madd } from "../../vectors";

/**
 * `count` rows of a matrix of 4 bits, and as many further ones. Addresses are in bytes.
 *
 * @param toSecond bytes from the first row to the second
 * @param toOthers bytes of values from the first row to the first of the others; or 0, and they are the same
 * @param outBytes from the outputs of the first row to those of the second
 * @param toOutput bytes from the first output to that of the others; likewise
 */
export function twoRows4(
  x: usize,
  toSecond: usize,
  values: usize,
  toOthers: usize,
  scales: usize,
  out: usize,
  outBytes: usize,
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
      const v = v128.load(values);
      const w = v128.load(values + toOthers);
      const vLow = v128.and(v, low);
      const vHigh = v128.and(i16x8.shr_u(v, 4), low);
      const wLow = v128.and(w, low);
      const wHigh = v128.and(i16x8.shr_u(w, 4), low);
      const second = at + toSecond;
      const firstEven = v128.load(at);
      const firstOdd = v128.load(at, 16);
      const secondEven = v128.load(second);
      const secondOdd = v128.load(second, 16);
      const a = dot4(vLow, vHigh, firstEven, firstOdd);
      const b = dot4(wLow, wHigh, firstEven, firstOdd);
      const c = dot4(vLow, vHigh, secondEven, secondOdd);
      const d = dot4(wLow, wHigh, secondEven, secondOdd);
      const dots = i32x4.add(sumEach4(a, b, c, d, ones), ofBoth(at + 32, second + 32));
      const scale = f32x4.mul(twice(scales, toOthers >> 2), ofBoth(at + 48, second + 48));
      sum = madd(f32x4.convert_i32x4_s(dots), scale, sum);
      at += oneBytes4;
      values += 16;
      scales += 4;
    } while (values < rowEnd);
    storeBoth(out, toOutput, outBytes, sum);
  }
}

/** What is there four times for each of both rows: twice each. */
@inline
function ofBoth(first: usize, second: usize): v128 {
  return v128.shuffle<i64>(v128.load(first), v128.load(second), 0, 2);
}

/** The scales of a block of both rows of the matrix, for each row of activations. */
@inline
function twice(at: usize, toOthers: usize): v128 {
  const scales = v128.load_lane<f32>(at + toOthers, v128.load_zero<f32>(at), 1);
  return v128.shuffle<i64>(scales, scales, 0, 0);
}

@inline
function storeBoth(out: usize, toOutput: usize, outBytes: usize, lanes: v128): void {
  v128.store_lane<f32>(out, lanes, 0);
  v128.store_lane<f32>(out + toOutput, lanes, 1);
  v128.store_lane<f32>(out + outBytes, lanes, 2);
  v128.store_lane<f32>(out + toOutput + outBytes, lanes, 3);
}
