// Several quantized rows that are kept apart (quantized-rows.ts) times rows of a matrix, eight of which are unpacked side
// by side (unpacked-eight.ts), a piece at a time that stays in the nearest cache.
//
// This is for engines that make 256-bit operations of pairs of 128-bit ones (docs/design/wide-vectors.md). Each row of
// the matrix has a lane from the first product on, and what both fours are multiplied by is the same. Other engines do
// more of this work than of that in several-rows.ts.

import { dotBytes } from "./dot-bytes";
import { addScaled, sixteenBitOnes, sixteenBitSixteens } from "./dots";
import { apartBlockBytes, correctionsAndScales } from "./quantized-rows";
import { scalesOfEight, unpackedEightBytes, unpackEight } from "./unpacked-eight";
import { storeEach, storePair } from "../../vectors";

/** Blocks of eight rows of the matrix that are unpacked at a time: of 4 bits 18 KiB, of 8 bits 34. */
const pieceBlocks: usize = 64;

/** Bytes of the sums that a row makes with eight. */
const sumsBytes: usize = 32;

/**
 * `count` rows of each stream, of weights of 4 bits. Addresses are in bytes.
 *
 * @param room for the sums of all rows, and a piece of eight unpacked rows
 * @param streams eight, four or one: if there are fewer than eight, they are multiplied more than once
 * @param values of the first row
 * @param toNext bytes of values from it to that of the next stream; or 0 for one stream
 * @param scales of the first rows, side by side
 * @param scaleBytes of a scale
 * @param outBytes from a row of outputs to the next
 * @param toOutput bytes from a stream's first output to the next one's; or 0 for one stream
 */
export function eightRows4(
  x: usize,
  rows: usize,
  room: usize,
  streams: usize,
  values: usize,
  toNext: usize,
  scales: usize,
  scaleBytes: usize,
  out: usize,
  outBytes: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  eightRows(4, x, rows, room, streams, values, toNext, scales, scaleBytes, out, outBytes, toOutput, count, blocks);
}

/** Likewise, of weights of 8 bits. */
export function eightRows8(
  x: usize,
  rows: usize,
  room: usize,
  streams: usize,
  values: usize,
  toNext: usize,
  scales: usize,
  scaleBytes: usize,
  out: usize,
  outBytes: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  eightRows(8, x, rows, room, streams, values, toNext, scales, scaleBytes, out, outBytes, toOutput, count, blocks);
}

@inline
function eightRows(
  bits: usize,
  x: usize,
  rows: usize,
  room: usize,
  streams: usize,
  values: usize,
  toNext: usize,
  scales: usize,
  scaleBytes: usize,
  out: usize,
  outBytes: usize,
  toOutput: usize,
  count: usize,
  blocks: usize,
): void {
  const unpacked = room + rows * sumsBytes;
  const toOthers: usize = streams === 8 ? 4 * toOutput : 0;
  for (const end = out + (count << 2); out < end; out += 4) {
    memory.fill(room, 0, rows * sumsBytes);
    for (let first: usize = 0; first < blocks; first += pieceBlocks) {
      const n = min(pieceBlocks, blocks - first);
      unpackEight(bits, values, toNext, scales, scaleBytes, streams, n, unpacked);
      values += n * (bits << 2);
      scales += n * streams * scaleBytes;
      for (let sums = room, row = x + first * apartBlockBytes; sums < unpacked; sums += sumsBytes) {
        addRow(bits, row, unpacked, n, sums);
        row += blocks * apartBlockBytes;
      }
    }
    for (let sums = room, to = out; sums < unpacked; sums += sumsBytes, to += outBytes) {
      storeEach(to, toOutput, v128.load(sums));
      storeEach(to + toOthers, toOutput, v128.load(sums, 16));
    }
  }
}

/** Adds the products of a row's blocks and those of the eight to `sums`. */
@inline
function addRow(bits: usize, x: usize, unpacked: usize, blocks: usize, sums: usize): void {
  const ones = sixteenBitOnes();
  const sixteens = sixteenBitSixteens();
  let four = v128.load(sums);
  let others = v128.load(sums, 16);
  for (const end = x + blocks * apartBlockBytes; x < end; x += apartBlockBytes) {
    const correction = v128.load32_splat(x);
    const scale = v128.load32_splat(x, 16);
    const q = x + correctionsAndScales;
    const w = unpacked + scalesOfEight;
    const parts = dots(bits, q, w, 0, ones, sixteens);
    const othersParts = dots(bits, q, w, 16, ones, sixteens);
    four = addScaled(bits, four, parts, ones, correction, v128.load(unpacked), scale);
    others = addScaled(bits, others, othersParts, ones, correction, v128.load(unpacked, 16), scale);
    unpacked += unpackedEightBytes(bits);
  }
  storePair(sums, four, others);
}

/**
 * A block of the row by one of each of four: as {@link addScaled} takes it.
 *
 * @param at bytes of `w` to those of the four. They are added up with others before they are to `w`, from which V8 sees
 *   that both fours are side by side
 */
@inline
function dots(bits: usize, q: usize, w: usize, at: usize, ones: v128, sixteens: v128): v128 {
  if (bits === 4) return dots4(q, w + at);
  const high = dots8(q, w + (at + 32));
  return i32x4.add(i32x4.dot_i16x8_s(dots8(q, w + at), ones), i32x4.dot_i16x8_s(high, sixteens));
}

/** Of four even elements, and four odd ones. */
@inline
function dots4(q: usize, w: usize): v128 {
  let sum = dotBytes(v128.load32_splat(q), v128.load(w));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 16), v128.load(w, 32)));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 4), v128.load(w, 64)));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 20), v128.load(w, 96)));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 8), v128.load(w, 128)));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 24), v128.load(w, 160)));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 12), v128.load(w, 192)));
  return i16x8.add(sum, dotBytes(v128.load32_splat(q, 28), v128.load(w, 224)));
}

/** Lower halves of weights, or upper ones. As in {@link dots4}, sums stay within 16 bits: see {@link addScaled}. */
@inline
function dots8(q: usize, w: usize): v128 {
  let sum = dotBytes(v128.load32_splat(q), v128.load(w));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 4), v128.load(w, 64)));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 8), v128.load(w, 128)));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 12), v128.load(w, 192)));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 16), v128.load(w, 256)));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 20), v128.load(w, 320)));
  sum = i16x8.add(sum, dotBytes(v128.load32_splat(q, 24), v128.load(w, 384)));
  return i16x8.add(sum, dotBytes(v128.load32_splat(q, 28), v128.load(w, 448)));
}
