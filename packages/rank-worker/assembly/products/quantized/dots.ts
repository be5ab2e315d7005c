// Integer products of a block of 32 weights, as MatMulNBits stores them (w), and a block of quantized activations (q).

import { dotBytes } from "./dot-bytes";
import { constant, madd } from "../../vectors";

/**
 * Σ q · w for weights of 4 bits, as eight partial sums of 16 bits.
 *
 * @param low weights of even elements, which are the low halves of bytes in memory
 * @param high weights of odd elements
 */
@inline
export function dot4(low: v128, high: v128, even: v128, odd: v128): v128 {
  return i16x8.add(dotBytes(even, low), dotBytes(odd, high));
}

/** Σ q · w for weights of 8 bits, as four partial sums of 32 bits. Each vector has eight elements of 16 bits. */
@inline
export function dot8(w0: v128, w1: v128, w2: v128, w3: v128, q0: v128, q1: v128, q2: v128, q3: v128): v128 {
  return i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(w0, q0), i32x4.dot_i16x8_s(w1, q1)),
    i32x4.add(i32x4.dot_i16x8_s(w2, q2), i32x4.dot_i16x8_s(w3, q3)),
  );
}

/**
 * Adds up the partial sums of each of four {@link dot4}. Up to 16 products are added in 16 bits, which hold them: none
 * is more than 127 · 15.
 *
 * @param ones {@link sixteenBitOnes}
 */
@inline
export function sumEach4(a: v128, b: v128, c: v128, d: v128, ones: v128): v128 {
  const ab = i16x8.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i16x8.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  const pairs = i16x8.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
  return i32x4.dot_i16x8_s(pairs, ones);
}

/** Adds up the partial sums of each of four {@link dot8}. */
@inline
export function sumEach8(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}

/**
 * Multiplies activations by weights and adds up neighbouring products. A lane of 32 bits is then the sum of two; for
 * weights of 4 bits, it has two such sums of 16 bits.
 */
@inline
export function times(bits: usize, q: v128, w: v128): v128 {
  return bits === 4 ? dotBytes(q, w) : i32x4.dot_i16x8_s(q, w);
}

/** `sum` plus {@link times}. */
@inline
export function addTimes(bits: usize, sum: v128, q: v128, w: v128): v128 {
  return addParts(bits, sum, times(bits, q, w));
}

/** Adds up neighbouring lanes of 32 bits, each of which may be two sums of 16: two lanes of `a`, then two of `b`. */
@inline
export function sumPairs(bits: usize, a: v128, b: v128): v128 {
  return addParts(bits, v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
}

@inline
function addParts(bits: usize, a: v128, b: v128): v128 {
  return bits === 4 ? i16x8.add(a, b) : i32x4.add(a, b);
}

/**
 * `sum` plus the scaled products of a block.
 *
 * @param parts sums of {@link times}; those of 16 bits add up 16 products of at most 127 · 15 each
 * @param ones {@link sixteenBitOnes}
 * @param correction −zero point · Σ q (quantized-rows.ts)
 */
@inline
export function addScaled(
  bits: usize,
  sum: v128,
  parts: v128,
  ones: v128,
  correction: v128,
  weightScale: v128,
  scale: v128,
): v128 {
  const dots = i32x4.add(bits === 4 ? i32x4.dot_i16x8_s(parts, ones) : parts, correction);
  return madd(f32x4.convert_i32x4_s(dots), f32x4.mul(weightScale, scale), sum);
}

const low = memory.data<i8>([15, 15, 15, 15]);
const ones = memory.data<i16>([1, 1]);
const sixteens = memory.data<i16>([16, 16]);

/** A mask of the low halves of bytes. */
@inline
export function lowHalves(): v128 {
  return constant(low);
}

/** Ones of 16 bits, by which a dot product adds up neighbours. */
@inline
export function sixteenBitOnes(): v128 {
  return constant(ones);
}

/** Sixteens of 16 bits. */
@inline
export function sixteenBitSixteens(): v128 {
  return constant(sixteens);
}
