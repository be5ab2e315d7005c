// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Blocks of 32 weights, as MatMulNBits has them, made whole numbers that share a scale as far as a group of blocks
// reaches: w ≈ scale · (u − 128) with u from 1 to 255.

import { choose, rounded } from "../../vectors";
import { oneScale } from "./scales";

/** The largest magnitude of a weight in a group, as a whole number. */
const most: f32 = 127;

/** Added to signed bytes, or taken away, it makes them unsigned ones of which 128 is 0. */
const zero: i8 = -128;

/**
 * A group of each of `count` rows, of weights of 4 bits. Addresses are in bytes.
 *
 * @param values the group's first block in the first row
 * @param scaleBytes of a scale: scales.ts
 * @param rowBlocks blocks from one row to the next
 * @param toNextScale bytes from a block's scale to that of the row's next block
 * @param blocks of the group
 * @param out `[count, blocks · 32]`, a byte each
 * @param outScales `[count]`, a float each
 */
export function groupWeights4(
  values: usize,
  scales: usize,
  scaleBytes: u32,
  rowBlocks: u32,
  toNextScale: u32,
  blocks: u32,
  out: usize,
  outScales: usize,
  count: u32,
): void {
  const low = i8x16.splat(15);
  // Sixteen times what weights of 4 bits stand for, from −8 to 7.
  const negative = i16x8(-128, -112, -96, -80, -64, -48, -32, -16);
  const positive = i16x8(0, 16, 32, 48, 64, 80, 96, 112);
  for (let row: u32 = 0; row < count; row++, values += <usize>rowBlocks << 4, scales += rowBlocks * toNextScale) {
    const largest = largestScale(scales, scaleBytes, toNextScale, blocks);
    store<f32>(outScales + (<usize>row << 2), (largest * 8) / most);
    const factor = fractionOver(largest);
    for (let block: usize = 0; block < blocks; block++, out += 32) {
      const fraction = fractionOf(oneScale(scales + block * toNextScale, scaleBytes), factor);
      const all = i8x16.narrow_i16x8_s(
        i16x8.q15mulr_sat_s(negative, fraction),
        i16x8.q15mulr_sat_s(positive, fraction),
      );
      const table = i8x16.add(all, i8x16.splat(zero));
      const v = v128.load(values + (block << 4));
      const even = choose(table, v128.and(v, low));
      const odd = choose(table, v128.and(i16x8.shr_u(v, 4), low));
      v128.store(out, v128.shuffle<i8>(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
      v128.store(out, v128.shuffle<i8>(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
    }
  }
}

/** Likewise, of weights of 8 bits. */
export function groupWeights8(
  values: usize,
  scales: usize,
  scaleBytes: u32,
  rowBlocks: u32,
  toNextScale: u32,
  blocks: u32,
  out: usize,
  outScales: usize,
  count: u32,
): void {
  for (let row: u32 = 0; row < count; row++, values += <usize>rowBlocks << 5, scales += rowBlocks * toNextScale) {
    const largest = largestScale(scales, scaleBytes, toNextScale, blocks);
    store<f32>(outScales + (<usize>row << 2), (largest * 128) / most);
    const factor = fractionOver(largest);
    for (let block: usize = 0; block < blocks; block++, out += 32) {
      const fraction = fractionOf(oneScale(scales + block * toNextScale, scaleBytes), factor);
      const at = values + (block << 5);
      v128.store(out, narrow(v128.load_ext<u8>(at), v128.load_ext<u8>(at, 8), fraction));
      v128.store(out, narrow(v128.load_ext<u8>(at, 16), v128.load_ext<u8>(at, 24), fraction), 16);
    }
  }
}

/** The largest magnitude of the scales of a group. NaN where there is one. */
function largestScale(scales: usize, scaleBytes: usize, toNextScale: usize, blocks: usize): f32 {
  // Without their signs, floats are in the order of the whole numbers that they are as bits, and NaNs behind them.
  let largest: u32 = 0;
  for (let block: usize = 0; block < blocks; block++) {
    const scale = oneScale(scales + block * toNextScale, scaleBytes);
    largest = max<u32>(largest, reinterpret<u32>(scale) & 0x7fffffff);
  }
  return reinterpret<f32>(largest);
}

/**
 * Times the scale of a block, the fraction, in 2⁻¹⁵, that makes its weights whole numbers of the group's scale: weights
 * of 8 bits, and those of 4 times 16, of which the largest stands for 128.
 */
function fractionOver(largest: f32): v128 {
  return f32x4.splat(largest === 0 ? 0 : (most * 256) / largest);
}

/** As whole numbers of 16 bits. */
@inline
function fractionOf(scale: f32, factor: v128): v128 {
  const fraction = rounded(f32x4.mul(f32x4.splat(scale), factor));
  return i16x8.narrow_i32x4_s(fraction, fraction);
}

/** Sixteen weights of 8 bits. */
@inline
function narrow(first: v128, second: v128, fraction: v128): v128 {
  const centre = i16x8.splat(128);
  const numbers = i8x16.narrow_i16x8_s(
    i16x8.q15mulr_sat_s(i16x8.sub(first, centre), fraction),
    i16x8.q15mulr_sat_s(i16x8.sub(second, centre), fraction),
  );
  return i8x16.add(numbers, i8x16.splat(zero));
}
