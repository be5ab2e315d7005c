// Eight rows of a matrix of quantized weights as rows of activations are multiplied by them (eight-rows.ts): unpacked,
// block by block. Of a block there are the scale of each of the eight, and then, of four bytes of each row side by side,
// the lower halves and the upper ones, as bytes: 288 bytes of weights of 4 bits, 544 of 8.
//
// Weights of 8 bits are taken apart as well, since products of bytes are as many again as those of 16 bits: a low half
// and 16 times a high one.

import { lowHalves } from "./dots";
import { scalesOfFour } from "./scales";
import { storePair } from "../../vectors";

/** Bytes of the scales of a block of all eight. */
export const scalesOfEight: usize = 32;

/** Bytes of what sixteen bytes of all eight make. */
const sixteenBytes: usize = 256;

/** Bytes of a block of all eight. */
@inline
export function unpackedEightBytes(bits: usize): usize {
  return scalesOfEight + (bits >> 2) * sixteenBytes;
}

/**
 * Addresses are in bytes.
 *
 * @param values of the first row
 * @param toNext bytes of values from each to the next; or 0, and all of them are the first
 * @param scales of the first block of each, side by side
 * @param scaleBytes of a scale
 * @param streams eight; or fewer, and the last four rows are the first ones again
 */
@inline
export function unpackEight(
  bits: usize,
  values: usize,
  toNext: usize,
  scales: usize,
  scaleBytes: usize,
  streams: usize,
  blocks: usize,
  out: usize,
): void {
  const toOthers: usize = streams === 8 ? 4 * toNext : 0;
  const toOtherScales: usize = streams === 8 ? 4 * scaleBytes : 0;
  const low = lowHalves();
  for (const end = out + blocks * unpackedEightBytes(bits); out < end; out += unpackedEightBytes(bits)) {
    const four = scalesOfFour(scales, scaleBytes, streams);
    storePair(out, four, scalesOfFour(scales + toOtherScales, scaleBytes, streams));
    scales += streams * scaleBytes;
    unpackSixteen(values, toNext, toOthers, out + scalesOfEight, low);
    if (bits === 8) unpackSixteen(values + 16, toNext, toOthers, out + scalesOfEight + sixteenBytes, low);
    values += bits << 2;
  }
}

/** Sixteen bytes of each of the eight. */
@inline
function unpackSixteen(values: usize, toNext: usize, toOthers: usize, out: usize, low: v128): void {
  const a = v128.load(values);
  const b = v128.load(values + toNext);
  const c = v128.load(values + 2 * toNext);
  const d = v128.load(values + 3 * toNext);
  const others = values + toOthers;
  const e = v128.load(others);
  const f = v128.load(others + toNext);
  const g = v128.load(others + 2 * toNext);
  const h = v128.load(others + 3 * toNext);
  const ac = v128.shuffle<i32>(a, c, 0, 4, 1, 5);
  const acBehind = v128.shuffle<i32>(a, c, 2, 6, 3, 7);
  const bd = v128.shuffle<i32>(b, d, 0, 4, 1, 5);
  const bdBehind = v128.shuffle<i32>(b, d, 2, 6, 3, 7);
  const eg = v128.shuffle<i32>(e, g, 0, 4, 1, 5);
  const egBehind = v128.shuffle<i32>(e, g, 2, 6, 3, 7);
  const fh = v128.shuffle<i32>(f, h, 0, 4, 1, 5);
  const fhBehind = v128.shuffle<i32>(f, h, 2, 6, 3, 7);
  // Offsets are written out, so that V8 sees which stores are side by side; of two such, the second goes first.
  const first = v128.shuffle<i32>(ac, bd, 0, 4, 1, 5);
  const otherFirst = v128.shuffle<i32>(eg, fh, 0, 4, 1, 5);
  v128.store(out, v128.and(otherFirst, low), 16);
  v128.store(out, v128.and(first, low), 0);
  v128.store(out, upperHalves(otherFirst, low), 48);
  v128.store(out, upperHalves(first, low), 32);
  const second = v128.shuffle<i32>(ac, bd, 2, 6, 3, 7);
  const otherSecond = v128.shuffle<i32>(eg, fh, 2, 6, 3, 7);
  v128.store(out, v128.and(otherSecond, low), 80);
  v128.store(out, v128.and(second, low), 64);
  v128.store(out, upperHalves(otherSecond, low), 112);
  v128.store(out, upperHalves(second, low), 96);
  const third = v128.shuffle<i32>(acBehind, bdBehind, 0, 4, 1, 5);
  const otherThird = v128.shuffle<i32>(egBehind, fhBehind, 0, 4, 1, 5);
  v128.store(out, v128.and(otherThird, low), 144);
  v128.store(out, v128.and(third, low), 128);
  v128.store(out, upperHalves(otherThird, low), 176);
  v128.store(out, upperHalves(third, low), 160);
  const last = v128.shuffle<i32>(acBehind, bdBehind, 2, 6, 3, 7);
  const otherLast = v128.shuffle<i32>(egBehind, fhBehind, 2, 6, 3, 7);
  v128.store(out, v128.and(otherLast, low), 208);
  v128.store(out, v128.and(last, low), 192);
  v128.store(out, upperHalves(otherLast, low), 240);
  v128.store(out, upperHalves(last, low), 224);
}

@inline
function upperHalves(bytes: v128, low: v128): v128 {
  return v128.and(i16x8.shr_u(bytes, 4), low);
}
