// Past rows of eight queries are gone over in four streams, from as many parts of the cache, a tile of all at a time.
// While one tile is worked on, the next is brought near, line by line of each stream.
//
// A processor fetches what lies behind lines that it was just asked for, up to the end of a page, and of anything else
// what its window of some hundred instructions shows: of these loops, half a dozen lines. Of one stream it waits at
// each page for memory's whole delay, of eight (keys and values) at all their pages together, once.

import { readAhead } from "./read-ahead";

export const streams: usize = 4;

/** Rows of each stream in a tile: with those of the next, keys and values fill two thirds of the nearest cache. */
export const streamRows: usize = 8;

const line: usize = 64;

let nextKeys: usize = 0;
let nextValues: usize = 0;
let nextDistance: usize = 0;
let lines: usize = 0;

/** Says what {@link readOn} goes over: of each stream `rows` rows, `distance` bytes from one stream to the next. */
export function readNext(keys: usize, values: usize, distance: usize, rows: usize, rowBytes: usize): void {
  nextKeys = keys;
  nextValues = values;
  nextDistance = distance;
  lines = (rows * rowBytes) / line;
}

/** Goes over all of it at once: nothing was worked on while the first tile might have been read. */
export function readAll(): void {
  while (lines > 0) readOn();
}

/** Brings the next line of each stream of keys and of values near. */
@inline
export function readOn(): void {
  if (lines === 0) return;
  lines--;
  const keys = nextKeys;
  const values = nextValues;
  const distance = nextDistance;
  readAhead(keys);
  readAhead(keys + distance);
  readAhead(keys + 2 * distance);
  readAhead(keys + 3 * distance);
  readAhead(values);
  readAhead(values + distance);
  readAhead(values + 2 * distance);
  readAhead(values + 3 * distance);
  nextKeys = keys + line;
  nextValues = values + line;
}
