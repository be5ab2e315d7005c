// AssemblyScript, which has TypeScript's syntax and is compiled to WebAssembly by scripts/build.mjs.
//
// Rounds blocks of 32 weights, as MatMulNBits stores them, to integers that share a scale over a whole group of blocks
// of a row: w ≈ scale · (u − 128) with u from 1 to 255.

import { choose, constant, roundingAddend } from "../../../vectors";
import { lowHalves } from "../dots";
import { oneScale } from "../scales";

/** The largest magnitude of these integers, without the 128. */
const most: f32 = 127;

// The following are in memory for `constant`.

/** Added to signed bytes, this makes them unsigned bytes whose zero point is 128. */
const zeros = memory.data<i8>([-128, -128, -128, -128]);
/** 16 · (v − 8) for each weight v of 4 bits. */
const sixteenfold = memory.data<i16>([-128, -112, -96, -80, -64, -48, -32, -16, 0, 16, 32, 48, 64, 80, 96, 112]);
/** The zero point of weights of 8 bits. */
const centres = memory.data<i16>([128, 128]);

/**
 * Rounds one group of blocks of each of `count` rows, from weights of 4 bits. Addresses are in bytes.
 *
 * @param values the group's first block in the first row
 * @param scales its scale
 * @param scaleBytes bytes of a scale: 4 or 2 (scales.ts)
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
  const low = lowHalves();
  const zero = constant(zeros);
  const negative = v128.load(sixteenfold);
  const positive = v128.load(sixteenfold, 16);
  for (let row: u32 = 0; row < count; row++, values += <usize>rowBlocks << 4, scales += rowBlocks * toNextScale) {
    const largest = largestScale(scales, scaleBytes, toNextScale, blocks);
    store<f32>(outScales + (<usize>row << 2), (largest * 8) / most);
    const factor = fractionOver(largest);
    for (let block: usize = 0; block < blocks; block++, out += 32) {
      const fraction = fractionOf(oneScale(scales + block * toNextScale, scaleBytes), factor);
      const table = i8x16.add(i8x16.narrow_i16x8_s(times(negative, fraction), times(positive, fraction)), zero);
      const v = v128.load(values + (block << 4));
      const even = choose(table, v128.and(v, low));
      const odd = choose(table, v128.and(i16x8.shr_u(v, 4), low));
      v128.store(out, v128.shuffle<i8>(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
      v128.store(out, v128.shuffle<i8>(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
    }
  }
}

/** Likewise, from weights of 8 bits. */
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
  const centre = constant(centres);
  const zero = constant(zeros);
  for (let row: u32 = 0; row < count; row++, values += <usize>rowBlocks << 5, scales += rowBlocks * toNextScale) {
    const largest = largestScale(scales, scaleBytes, toNextScale, blocks);
    store<f32>(outScales + (<usize>row << 2), (largest * 128) / most);
    const factor = fractionOver(largest);
    for (let block: usize = 0; block < blocks; block++, out += 32) {
      const fraction = fractionOf(oneScale(scales + block * toNextScale, scaleBytes), factor);
      const at = values + (block << 5);
      const first = i8x16.narrow_i16x8_s(eight(at, centre, fraction), eight(at + 8, centre, fraction));
      const second = i8x16.narrow_i16x8_s(eight(at + 16, centre, fraction), eight(at + 24, centre, fraction));
      v128.store(out, i8x16.add(first, zero));
      v128.store(out, i8x16.add(second, zero), 16);
    }
  }
}

/** The largest magnitude of the scales of a group; NaN if there is one. */
function largestScale(scales: usize, scaleBytes: usize, toNextScale: usize, blocks: usize): f32 {
  // Without their signs, floats are in the same order as their bits taken as integers, and NaNs are the largest. For
  // vectors there is an instruction for the larger integer, where V8 would branch otherwise.
  let largest = i32x4.splat(0);
  for (let block: usize = 0; block < blocks; block++, scales += toNextScale) {
    largest = i32x4.max_s(largest, i32x4.splat(reinterpret<i32>(oneScale(scales, scaleBytes)) & 0x7fffffff));
  }
  return f32x4.extract_lane(largest, 0);
}

/**
 * Returns the factor that turns a block's scale into a fraction, in units of 2⁻¹⁵. Weights from −128 to 127 (of 4 bits:
 * times 16) times that fraction are integers from −127 to 127 that share the group's scale.
 */
function fractionOver(largest: f32): f32 {
  return largest === 0 ? 0 : (most * 256) / largest;
}

/** The fraction as integers of 16 bits, the lowest of a sum with {@link roundingAddend}. */
@inline
function fractionOf(scale: f32, factor: f32): v128 {
  return i16x8.splat(<i16>reinterpret<i32>(scale * factor + roundingAddend));
}

/** Integers times fractions, rounded. Never are both −2¹⁵, for which engines may differ. */
@inline
function times(numbers: v128, fraction: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_q15mulr_s(numbers, fraction);
  return i16x8.q15mulr_sat_s(numbers, fraction);
}

/** Rounds eight weights of 8 bits. */
@inline
function eight(at: usize, centre: v128, fraction: v128): v128 {
  return times(i16x8.sub(v128.load_ext<u8>(at), centre), fraction);
}
