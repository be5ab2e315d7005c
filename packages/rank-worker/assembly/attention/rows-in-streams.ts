// For up to four queries, past rows are read in eight streams, from as many parts of the cache, one row of each in
// turn, in the way that products of few rows read a matrix (products/streams.ts). Then come the remaining rows, and
// then the new row, which is elsewhere.

import { rowsOfEach, streamsOf } from "../products/streams";

/** How many rows are taken side by side from this one on. */
@inline
export function streamsFrom(row: usize, past: usize): usize {
  return row < past ? streamsOf(past - row) : 1;
}

/** How many rows each of so many streams has. */
@inline
export function rowsFrom(row: usize, past: usize, streams: usize, rowBytes: usize): usize {
  return row < past ? rowsOfEach(past - row, streams, rowBytes) : 1;
}
