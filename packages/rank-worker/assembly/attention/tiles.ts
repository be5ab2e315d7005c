// Past rows of keys or values are gone over by tiles, then the new row, which lies elsewhere.

import { lineBytes, pageBytes } from "../caches";
import { beginPage } from "../read-ahead";

/** Rows of keys, and of values, that stay in the nearest cache. */
export const tileRows: usize = 32;

/** How many rows are in the tile that begins with this one. */
@inline
export function rowsFrom(row: usize, past: usize): usize {
  return row < past ? min(tileRows, past - row) : 1;
}

/** Bytes from a tile to what is read ahead meanwhile: to the next if that is whole, since memory may end behind it. */
@inline
export function bytesAhead(row: usize, past: usize, rowBytes: usize): usize {
  return row + 2 * tileRows <= past ? tileRows * rowBytes : 0;
}

/** Brings the beginnings of the pages near that begin in the tile after the next, if that is whole. */
export function beginTile(tile: usize, row: usize, past: usize, rowBytes: usize): void {
  if (row + 3 * tileRows > past) return;
  const first = tile + 2 * tileRows * rowBytes;
  const end = first + tileRows * rowBytes;
  let next = (first + pageBytes - 1) & ~(pageBytes - 1);
  for (; next + 2 * lineBytes <= end; next += pageBytes) beginPage(next);
}
