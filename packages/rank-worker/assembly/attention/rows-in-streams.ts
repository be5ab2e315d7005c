// Past rows of up to four queries are gone over in eight streams, from as many parts of the cache, a row of each in
// turn, as products of few rows go over a matrix (products/streams.ts); then those that are left, then the new row,
// which lies elsewhere.

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
