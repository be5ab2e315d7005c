// For eight queries, past rows are read in four streams, from as many parts of the cache, a tile of all at a time.
// While one tile is processed, the next is prefetched, line by line of each stream.
//
// A processor prefetches the lines after those it was just asked for, up to the end of a page; of anything else, only
// what its window of a few hundred instructions shows, which is half a dozen lines of these loops. With one stream, it
// waits for the full latency of memory at each page; with eight (keys and values), once for all their pages together.

import { lineBytes, pageBytes } from "../caches";
import { beginPage, readAhead } from "../read-ahead";

export const streams: usize = 4;

/** Rows of each stream in a tile: together with the next tile, its keys and values fill two thirds of the L1 cache. */
export const streamRows: usize = 8;

let nextKeys: usize = 0;
let nextValues: usize = 0;
let nextDistance: usize = 0;
let lines: usize = 0;
/** Up to which keys the first stream has another page, and so has each other. */
let lastPage: usize = 0;

/**
 * Says what {@link readOn} goes over: of each stream the next tile, `distance` bytes from one stream to the next.
 *
 * @param rows that each stream has from there on
 */
export function readNext(keys: usize, values: usize, distance: usize, rows: usize, rowBytes: usize): void {
  nextKeys = keys;
  nextValues = values;
  nextDistance = distance;
  lines = (min(streamRows, rows) * rowBytes) / lineBytes;
  lastPage = keys + max(rows * rowBytes, beyond) - beyond;
}

/** From anywhere in a page, the end of the next page's second line is no farther. */
const beyond = pageBytes + 2 * lineBytes;

/** Goes over all of it at once: nothing was worked on while the first tile might have been read. */
export function readAll(): void {
  while (lines > 0) readOn();
}

/**
 * Brings the next line of each stream of keys and of values near, and halfway through a page the beginning of the page
 * that follows.
 */
@inline
export function readOn(): void {
  if (lines === 0) return;
  lines--;
  const keys = nextKeys;
  const values = nextValues;
  const distance = nextDistance;
  readLine(keys, distance);
  readLine(values, distance);
  if ((keys & (pageBytes - lineBytes)) === pageBytes / 2 && keys < lastPage) {
    beginPages(keys, distance);
    beginPages(values, distance);
  }
  nextKeys = keys + lineBytes;
  nextValues = values + lineBytes;
}

/** Of each stream. */
@inline
function readLine(at: usize, distance: usize): void {
  readAhead(at);
  readAhead(at + distance);
  readAhead(at + 2 * distance);
  readAhead(at + 3 * distance);
}

/** Of each stream the page behind this one. */
@inline
function beginPages(at: usize, distance: usize): void {
  beginPage(at + pageBytes);
  beginPage(at + distance + pageBytes);
  beginPage(at + 2 * distance + pageBytes);
  beginPage(at + 3 * distance + pageBytes);
}
