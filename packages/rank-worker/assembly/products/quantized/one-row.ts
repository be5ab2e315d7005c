// One quantized row (quantized-rows.ts) times rows of a matrix, which is read in eight streams, or in four
// (streams.ts).
//
// A decode step does little else, and should take no longer than reading the weights. Of the eight rows, four are
// multiplied at a time. After each block, the sums of four share a vector, which takes fewer instructions than a vector
// for each, and few enough registers.
//
// Both fours do the same and end in a pair of stores, from which engines that make 256-bit operations of pairs of
// 128-bit ones start (docs/design/wide-vectors.md).

import { dot4, dot8, lowHalves, sixteenBitOnes, sumEach4, sumEach8 } from "./dots";
import { groupBytes } from "./quantized-rows";
import { fourScalesOf } from "./scales";
import { madd, storePair } from "../../vectors";

/**
 * The row by `count` rows of each stream, with weights of 4 bits. `Scale` is u16 or f32 (scales.ts). Addresses are in
 * bytes.
 *
 * @param room scratch memory for eight floats
 * @param streams eight or four
 * @param values the first stream
 * @param toNext bytes from one stream to the next
 * @param scales of all streams (streams.ts)
 * @param toOutput bytes from a stream's first output to the next stream's
 */
export function oneRow4<Scale>(
  x: usize,
  room: usize,
  streams: usize,
  values: usize,
  toNext: usize,
  scales: usize,
  out: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  if (streams === 8) oneRow<Scale>(4, 8, x, room, values, toNext, scales, out, toOutput, count, blocks);
  else oneRow<Scale>(4, 4, x, room, values, toNext, scales, out, toOutput, count, blocks);
}

/** Likewise, with weights of 8 bits. */
export function oneRow8<Scale>(
  x: usize,
  room: usize,
  streams: usize,
  values: usize,
  toNext: usize,
  scales: usize,
  out: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  if (streams === 8) oneRow<Scale>(8, 8, x, room, values, toNext, scales, out, toOutput, count, blocks);
  else oneRow<Scale>(8, 4, x, room, values, toNext, scales, out, toOutput, count, blocks);
}

/** Bits and streams are constants where this is inlined, so the loop has no branch on them. */
@inline
function oneRow<Scale>(
  bits: usize,
  streams: usize,
  x: usize,
  room: usize,
  values: usize,
  toNext: usize,
  scales: usize,
  out: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  const low = lowHalves();
  const ones = sixteenBitOnes();
  for (const end = out + (count << 2); out < end; out += 4) {
    const rowEnd = values + (blocks * bits << 2);
    let at = x;
    let sum = f32x4.splat(0);
    let others = f32x4.splat(0);
    do {
      sum = addFour(bits, sum, at, values, toNext, fourScalesOf<Scale>(scales), low, ones);
      if (streams === 8) {
        const scale = fourScalesOf<Scale>(scales + 4 * sizeof<Scale>());
        others = addFour(bits, others, at, values + 4 * toNext, toNext, scale, low, ones);
      }
      at += groupBytes(bits, 1);
      values += bits << 2;
      scales += streams * sizeof<Scale>();
    } while (values < rowEnd);
    storePair(room, sum, others);
    for (let stream: usize = 0, to = out; stream < streams; stream++, to += toOutput) {
      store<f32>(to, load<f32>(room + (stream << 2)));
    }
  }
}

/** `sum` plus the products with a block of each of four rows of the matrix. */
@inline
function addFour(
  bits: usize,
  sum: v128,
  x: usize,
  values: usize,
  toNext: usize,
  scales: v128,
  low: v128,
  ones: v128,
): v128 {
  const parts = bits === 4 ? fourSums4(x, values, toNext, low, ones) : fourSums8(x, values, toNext);
  const dots = i32x4.add(parts, v128.load32_splat(x));
  return madd(f32x4.convert_i32x4_s(dots), f32x4.mul(scales, v128.load32_splat(x, 16)), sum);
}

@inline
function fourSums4(x: usize, values: usize, toNext: usize, low: v128, ones: v128): v128 {
  const even = v128.load(x, 32);
  const odd = v128.load(x, 48);
  const second = values + toNext;
  const third = second + toNext;
  const a = halvesTimes(values, even, odd, low);
  const b = halvesTimes(second, even, odd, low);
  const c = halvesTimes(third, even, odd, low);
  const d = halvesTimes(third + toNext, even, odd, low);
  return sumEach4(a, b, c, d, ones);
}

@inline
function fourSums8(x: usize, values: usize, toNext: usize): v128 {
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
  return sumEach8(a, b, c, d);
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
