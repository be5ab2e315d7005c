// For up to four queries, past rows are read like the matrix of a product of few rows (products/streams.ts): in eight
// streams, one row of each in turn. Then come the remaining rows, and then the new row, which is elsewhere.

import { rowsOfEach, streamsOf } from "../products/streams";

/** In how many streams to read from this row on. */
@inline
export function streamsFrom(row: usize, past: usize): usize {
  return row < past ? streamsOf(past - row) : 1;
}

/** The number of rows of each stream. */
@inline
export function rowsFrom(row: usize, past: usize, streams: usize, rowBytes: usize): usize {
  return row < past ? rowsOfEach(past - row, streams, rowBytes) : 1;
}
