// One row of floats (split-rows.ts) times rows of a matrix of bfloat16, which is read in up to eight streams
// (products/streams.ts).
//
// A vector has eight numbers of the matrix. Those of even places become floats by a shift, those of odd places by
// clearing the even ones. Of each stream, two vectors side by side are multiplied at a time, so that engines can make
// 256-bit operations of both (docs/design/wide-vectors.md).

import { constant, madd, storeEach, storePair, sumEach } from "../../vectors";

const upperHalf = memory.data<u32>([0xffff0000]);

/**
 * The row by `count` rows of each stream. Addresses are in bytes. Every product is added up in the same order however
 * many streams there are.
 *
 * @param room scratch memory for 64 floats
 * @param streams eight, four, or one
 * @param values the first stream
 * @param toNext bytes from one stream to the next; 0 for one stream, which then takes the place of four
 * @param toOutput bytes from a stream's first output to the next stream's; 0 for one stream
 */
export function oneBfloatRow(
  x: usize,
  room: usize,
  streams: usize,
  values: usize,
  toNext: usize,
  out: usize,
  toOutput: usize,
  count: usize,
  width: usize,
): void {
  if (streams === 8) inStreams(8, x, room, values, toNext, out, toOutput, count, width);
  else inStreams(4, x, room, values, toNext, out, toOutput, count, width);
}

/** The number of streams is a constant where this is inlined, so the loop has no branch on it. */
@inline
function inStreams(
  streams: usize,
  x: usize,
  room: usize,
  values: usize,
  toNext: usize,
  out: usize,
  toOutput: usize,
  count: usize,
  width: usize,
): void {
  const rowBytes = width << 1;
  const inPairs = rowBytes & ~31;
  const upper = constant(upperHalf);
  for (const end = out + (count << 2); out < end; out += 4, values += rowBytes) {
    const second = values + toNext;
    const third = second + toNext;
    const fourth = third + toNext;
    const fifth = fourth + toNext;
    const sixth = fifth + toNext;
    const seventh = sixth + toNext;
    const eighth = seventh + toNext;
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let b0 = f32x4.splat(0);
    let b1 = f32x4.splat(0);
    let c0 = f32x4.splat(0);
    let c1 = f32x4.splat(0);
    let d0 = f32x4.splat(0);
    let d1 = f32x4.splat(0);
    let e0 = f32x4.splat(0);
    let e1 = f32x4.splat(0);
    let f0 = f32x4.splat(0);
    let f1 = f32x4.splat(0);
    let g0 = f32x4.splat(0);
    let g1 = f32x4.splat(0);
    let h0 = f32x4.splat(0);
    let h1 = f32x4.splat(0);
    let xs = x;
    for (let k: usize = 0; k < inPairs; k += 32, xs += 64) {
      a0 = addEight(a0, values + k, xs, upper);
      a1 = addEight(a1, values + k + 16, xs + 16, upper);
      b0 = addEight(b0, second + k, xs, upper);
      b1 = addEight(b1, second + k + 16, xs + 16, upper);
      c0 = addEight(c0, third + k, xs, upper);
      c1 = addEight(c1, third + k + 16, xs + 16, upper);
      d0 = addEight(d0, fourth + k, xs, upper);
      d1 = addEight(d1, fourth + k + 16, xs + 16, upper);
      if (streams === 8) {
        e0 = addEight(e0, fifth + k, xs, upper);
        e1 = addEight(e1, fifth + k + 16, xs + 16, upper);
        f0 = addEight(f0, sixth + k, xs, upper);
        f1 = addEight(f1, sixth + k + 16, xs + 16, upper);
        g0 = addEight(g0, seventh + k, xs, upper);
        g1 = addEight(g1, seventh + k + 16, xs + 16, upper);
        h0 = addEight(h0, eighth + k, xs, upper);
        h1 = addEight(h1, eighth + k + 16, xs + 16, upper);
      }
    }
    storePair(room, a0, a1);
    storePair(room + 32, b0, b1);
    storePair(room + 64, c0, c1);
    storePair(room + 96, d0, d1);
    if (streams === 8) {
      storePair(room + 128, e0, e1);
      storePair(room + 160, f0, f1);
      storePair(room + 192, g0, g1);
      storePair(room + 224, h0, h1);
    }
    finishFour(out, toOutput, room, xs, values + inPairs, toNext, values + rowBytes);
    if (streams === 8) finishFour(out + 4 * toOutput, toOutput, room + 128, xs, fifth + inPairs, toNext, fifth + rowBytes);
  }
}

/** `sum` plus the products with eight numbers of the matrix. */
@inline
function addEight(sum: v128, values: usize, x: usize, upper: v128): v128 {
  const v = v128.load(values);
  return madd(v128.and(v, upper), v128.load(x, 32), madd(i32x4.shl(v, 16), v128.load(x), sum));
}

/** Adds up the sums of four streams, and the products of the numbers that fill no pair of vectors. */
@inline
function finishFour(out: usize, toOutput: usize, room: usize, x: usize, values: usize, toNext: usize, end: usize): void {
  let sums = sumEach(pairAt(room), pairAt(room + 32), pairAt(room + 64), pairAt(room + 96));
  for (; values < end; values += 2, x += 4) sums = madd(numbersOf(values, toNext), v128.load32_splat(x), sums);
  storeEach(out, toOutput, sums);
}

@inline
function pairAt(room: usize): v128 {
  return f32x4.add(v128.load(room), v128.load(room, 16));
}

/** One number of each of four streams, as floats. */
@inline
function numbersOf(at: usize, toNext: usize): v128 {
  const third = at + 2 * toNext;
  let lanes = i32x4.splat(load<u16>(at));
  lanes = i32x4.replace_lane(lanes, 1, load<u16>(at + toNext));
  lanes = i32x4.replace_lane(lanes, 2, load<u16>(third));
  lanes = i32x4.replace_lane(lanes, 3, load<u16>(third + toNext));
  return i32x4.shl(lanes, 16);
}
