// Products of few rows multiply by eight rows of a matrix at a time, one from each eighth of the matrix. Each eighth is
// a stream: it is read from beginning to end, so processors prefetch it. Rows that are left over are read in the same
// way, in eight or four streams, and the last ones one by one.
//
// The scales of a quantized matrix are one more stream: `[rows of a stream, blocks, streams]`, so that those of blocks
// that are multiplied together lie side by side, and then likewise those of the rows that are left over
// (src/products/quantized/streamed-scales.ts). Eight streams of scales took 6% longer.

import { pageBytes } from "../memory-units";

/** In how many streams to read if so many rows are left. */
@inline
export function streamsOf(left: usize): usize {
  return left >= 8 ? 8 : left >= 4 ? 4 : 1;
}

/** The number of rows of each stream. */
@inline
export function rowsOfEach(left: usize, streams: usize, rowBytes: usize): usize {
  return streams === 8 ? eighthOf(left, rowBytes) : left / streams;
}

/**
 * The number of rows of each of eight streams. If the streams lie about half a page more than whole pages apart, four of
 * them at a time enter a new page, which was up to a third faster than if all do so at once. For that, up to a sixteenth
 * of the rows is left over.
 */
@inline
function eighthOf(count: usize, rowBytes: usize): usize {
  const eighth = count >> 3;
  const least = eighth - (eighth >> 4);
  for (let rows = eighth; rows >= least && rows > 0; rows--) {
    const beyond = (rows * rowBytes) & (pageBytes - 1);
    if (beyond >= (pageBytes * 3) / 8 && beyond <= (pageBytes * 5) / 8) return rows;
  }
  return eighth;
}
