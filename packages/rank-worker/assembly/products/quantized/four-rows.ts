// Four quantized rows (quantized-rows.ts) times rows of a matrix: a block of weights is unpacked once for all four, whose
// sums lie side by side in one vector.

import { dot4, dot8, lowHalves, sixteenBitOnes, sumEach4, sumEach8 } from "./dots";
import { fourBytes4, fourBytes8 } from "./quantized-rows";
import { madd } from "../../vectors";

/**
 * `count` rows of a matrix of 4 bits, and as many further ones, a row of each side by side, so that activations are
 * loaded once for both. Addresses are in bytes.
 *
 * @param rows how many of the four there are
 * @param toOthers bytes of values from the first row to the first of the others; or 0, and they are the same
 * @param outBytes from a row of outputs to the next
 * @param toOutput bytes from the first output to that of the others; likewise
 */
export function fourRows4(
  x: usize,
  rows: usize,
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
    let others = f32x4.splat(0);
    do {
      const v = v128.load(values);
      const vLow = v128.and(v, low);
      const vHigh = v128.and(i16x8.shr_u(v, 4), low);
      const w = v128.load(values + toOthers);
      const wLow = v128.and(w, low);
      const wHigh = v128.and(i16x8.shr_u(w, 4), low);
      let even = v128.load(at);
      let odd = v128.load(at, 16);
      const va = dot4(vLow, vHigh, even, odd);
      const wa = dot4(wLow, wHigh, even, odd);
      even = v128.load(at, 32);
      odd = v128.load(at, 48);
      const vb = dot4(vLow, vHigh, even, odd);
      const wb = dot4(wLow, wHigh, even, odd);
      even = v128.load(at, 64);
      odd = v128.load(at, 80);
      const vc = dot4(vLow, vHigh, even, odd);
      const wc = dot4(wLow, wHigh, even, odd);
      even = v128.load(at, 96);
      odd = v128.load(at, 112);
      const vd = dot4(vLow, vHigh, even, odd);
      const wd = dot4(wLow, wHigh, even, odd);
      const correction = v128.load(at, 128);
      const scale = v128.load(at, 144);
      const vDots = i32x4.add(sumEach4(va, vb, vc, vd, ones), correction);
      const wDots = i32x4.add(sumEach4(wa, wb, wc, wd, ones), correction);
      const ofOthers = v128.load_splat<f32>(scales + (toOthers >> 2));
      sum = madd(f32x4.convert_i32x4_s(vDots), f32x4.mul(v128.load_splat<f32>(scales), scale), sum);
      others = madd(f32x4.convert_i32x4_s(wDots), f32x4.mul(ofOthers, scale), others);
      at += fourBytes4;
      values += 16;
      scales += 4;
    } while (values < rowEnd);
    storeRows(out, outBytes, rows, sum);
    storeRows(out + toOutput, outBytes, rows, others);
  }
}

/** `count` rows of a matrix of 8 bits. */
export function fourRows8(
  x: usize,
  rows: usize,
  values: usize,
  scales: usize,
  out: usize,
  outBytes: usize,
  count: usize,
  blocks: usize,
): void {
  for (const end = out + (count << 2); out < end; out += 4) {
    const rowEnd = values + (blocks << 5);
    let at = x;
    let sum = f32x4.splat(0);
    do {
      const w0 = v128.load_ext<u8>(values);
      const w1 = v128.load_ext<u8>(values, 8);
      const w2 = v128.load_ext<u8>(values, 16);
      const w3 = v128.load_ext<u8>(values, 24);
      const a = timesRow(w0, w1, w2, w3, at);
      const b = timesRow(w0, w1, w2, w3, at + 64);
      const c = timesRow(w0, w1, w2, w3, at + 128);
      const d = timesRow(w0, w1, w2, w3, at + 192);
      const dots = i32x4.add(sumEach8(a, b, c, d), v128.load(at, 256));
      const scale = f32x4.mul(v128.load_splat<f32>(scales), v128.load(at, 272));
      sum = madd(f32x4.convert_i32x4_s(dots), scale, sum);
      at += fourBytes8;
      values += 32;
      scales += 4;
    } while (values < rowEnd);
    storeRows(out, outBytes, rows, sum);
  }
}

@inline
function timesRow(w0: v128, w1: v128, w2: v128, w3: v128, at: usize): v128 {
  return dot8(w0, w1, w2, w3, v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48));
}

/** A lane to each row that there is: three or four. */
@inline
function storeRows(out: usize, outBytes: usize, rows: usize, lanes: v128): void {
  v128.store_lane<f32>(out, lanes, 0);
  v128.store_lane<f32>(out + outBytes, lanes, 1);
  v128.store_lane<f32>(out + 2 * outBytes, lanes, 2);
  if (rows > 3) v128.store_lane<f32>(out + 3 * outBytes, lanes, 3);
}
