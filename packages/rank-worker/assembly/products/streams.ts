// A matrix whose rows are multiplied eight by eight gives one from each of its eighths: each is then a stream of
// memory from beginning to end, which processors read ahead. Rows that are left are taken four by four, or one by one.
//
// Scales of quantized rows are one stream more: those of blocks that are taken side by side lie side by side, in
// `[rows of a stream, blocks, streams]`, and rows that are left come after in the same way
// (src/products/quantized/streamed-scales.ts). Eight streams of their own took 6% longer.

import { pageBytes } from "../caches";

/** How many rows are taken side by side where so many are left, one from each of as many streams. */
@inline
export function streamsOf(left: usize): usize {
  return left >= 8 ? 8 : left >= 4 ? 4 : 1;
}

/** How many rows each of so many streams has. */
@inline
export function rowsOfEach(left: usize, streams: usize, rowBytes: usize): usize {
  return streams === 8 ? eighthOf(left, rowBytes) : left / streams;
}

/**
 * How many rows are multiplied side by side with as many each from seven further places. Streams that are some pages
 * and a half apart take turns to enter a page, four and four: that was faster than all at once, and than each alone, by
 * up to a tenth. So an eighth is some rows less, if need be, and those that are left come after.
 */
@inline
function eighthOf(count: usize, rowBytes: usize): usize {
  const eighth = count >> 3;
  const least = eighth - (eighth >> 3);
  for (let rows = eighth; rows >= least && rows > 0; rows--) {
    if (((rows * rowBytes) & (pageBytes - 1)) === pageBytes >> 1) return rows;
  }
  for (let rows = eighth; rows >= least && rows > 0; rows--) {
    if (((rows * rowBytes) & ((pageBytes >> 1) - 1)) === pageBytes >> 2) return rows;
  }
  return eighth;
}

/** A lane from each of four places, `toNext` bytes apart. */
@inline
export function loadEach(at: usize, toNext: usize): v128 {
  const third = at + 2 * toNext;
  let lanes = v128.load_zero<f32>(at);
  lanes = v128.load_lane<f32>(at + toNext, lanes, 1);
  lanes = v128.load_lane<f32>(third, lanes, 2);
  return v128.load_lane<f32>(third + toNext, lanes, 3);
}

/** A lane to each of four outputs, `toOutput` bytes apart. */
@inline
export function storeEach(out: usize, toOutput: usize, lanes: v128): void {
  const third = out + 2 * toOutput;
  v128.store_lane<f32>(out, lanes, 0);
  v128.store_lane<f32>(out + toOutput, lanes, 1);
  v128.store_lane<f32>(third, lanes, 2);
  v128.store_lane<f32>(third + toOutput, lanes, 3);
}
