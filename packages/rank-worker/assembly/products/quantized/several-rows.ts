// Several quantized rows (quantized-rows.ts) times rows of a matrix, four of which are unpacked once for all of them
// (unpacked-rows.ts), a piece at a time that stays in the nearest cache.
//
// A vector has as many elements of each row of a group, and what it is multiplied by are as many of one row of the
// matrix, over and over. So sums are of one row each from the first product on, and the more rows there are in a group,
// the fewer lanes are left to be added up.

import { fourRows4, fourRows8 } from "./four-rows";
import { lastRow4, lastRow8 } from "./last-row";
import { groupBytes, groupSize } from "./quantized-rows";
import { twoRows4, twoRows8 } from "./two-rows";
import { unpackRows4, unpackRows8 } from "./unpacked-rows";

/**
 * Blocks of four rows of the matrix that are unpacked at a time: of 8 bits 17 KiB. Rows of 5632 as a whole, 48 KiB,
 * took a tenth longer.
 */
const pieceBlocks: usize = 64;

/**
 * `count` rows of each of four streams, of weights of 4 bits. Addresses are in bytes.
 *
 * @param room for a piece of four unpacked rows
 * @param streams of the matrix: these are all of eight's first or last four, or all
 * @param values of the first row
 * @param toNext bytes of values from it to that of the next stream; or 0, and all of them are the first
 * @param scales of the first rows, side by side
 * @param scaleBytes of a scale
 * @param outBytes from a row of outputs to the next
 * @param toOutput bytes from a stream's first output to the next one's
 */
export function severalRows4(
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
  severalRows(4, x, rows, room, streams, values, toNext, scales, scaleBytes, out, outBytes, toOutput, count, blocks);
}

/** Likewise, of weights of 8 bits. */
export function severalRows8(
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
  severalRows(8, x, rows, room, streams, values, toNext, scales, scaleBytes, out, outBytes, toOutput, count, blocks);
}

@inline
function severalRows(
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
  for (const end = out + (count << 2); out < end; out += 4) {
    for (let first: usize = 0; first < blocks; first += pieceBlocks) {
      const n = min(pieceBlocks, blocks - first);
      if (bits === 4) unpackRows4(values, toNext, scales, scaleBytes, streams, n, room);
      else unpackRows8(values, toNext, scales, scaleBytes, streams, n, room);
      values += n * (bits << 2);
      scales += n * streams * scaleBytes;
      let group = x;
      let to = out;
      for (let left = rows; left > 0; ) {
        const size = groupSize(left);
        const bytes = groupBytes(bits, size);
        const at = group + first * bytes;
        const isBegun = first > 0;
        if (size === 4) {
          if (bits === 4) fourRows4(at, room, n, isBegun, to, outBytes, toOutput);
          else fourRows8(at, room, n, isBegun, to, outBytes, toOutput);
        } else if (size === 2) {
          if (bits === 4) twoRows4(at, room, n, isBegun, to, outBytes, toOutput);
          else twoRows8(at, room, n, isBegun, to, outBytes, toOutput);
        } else if (bits === 4) lastRow4(at, room, n, isBegun, to, toOutput);
        else lastRow8(at, room, n, isBegun, to, toOutput);
        group += blocks * bytes;
        to += size * outBytes;
        left -= size;
      }
    }
  }
}
