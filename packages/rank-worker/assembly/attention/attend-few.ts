// Attention of up to four queries of one row and one head of keys and values: three or four side by side, one or two
// one by one. All of them go over a tile of the cache while it is near: the cache is read from memory once.

import { Arguments } from "./arguments";
import { addToFour, mixFour, packFour, scaled, scoreFour, softmaxFour } from "./four-queries";
import { addToOne, mixOne, scoreOne, softmaxOne } from "./one-query";
import { turnQuery } from "./rows";
import { beginTile, bytesAhead, rowsFrom } from "./tiles";

/** Queries of a group from `first` on. */
export function attendFew(sequence: usize, head: usize, first: usize, args: Arguments): void {
  const group = <usize>args.group;
  const past = <usize>args.past;
  const rowBytes = <usize>args.lanes << 2;
  const at = sequence * args.keyValueHeads + head;
  const presentKey = args.presentKeys + at * rowBytes;
  const presentValue = args.presentValues + at * rowBytes;
  const pastKeys = args.pastKeys + at * past * rowBytes;
  const pastValues = args.pastValues + at * past * rowBytes;
  const context = args.context + (at * group + first) * rowBytes;
  const count = group - first;
  const firstHead = head * group + first;

  // Where four are three, the third is there twice.
  const padded: usize = count > 2 ? 4 : count;
  // In whole vectors.
  const scoreBytes = ((past + 4) & ~3) << 2;
  // scratchLength of src/attention/row-attention.ts is what this comes to at most.
  const queries = args.scratch;
  const packed = queries + padded * rowBytes;
  const sums = packed + padded * rowBytes;
  const scores = sums + padded * rowBytes;
  for (let one: usize = 0; one < padded; one++) {
    turnQuery(queries + one * rowBytes, sequence, head, first + min(one, count - 1), args);
  }

  if (count > 2) {
    packFour(packed, queries, rowBytes);
    let rows: usize = 0;
    for (let row: usize = 0; row <= past; row += rows) {
      rows = rowsFrom(row, past);
      const keys = row < past ? pastKeys + row * rowBytes : presentKey;
      beginTile(keys, row, past, rowBytes);
      scoreFour(scores + (row << 4), packed, keys, rows, rowBytes, keys + bytesAhead(row, past, rowBytes));
    }
    addToFour(scores, sequence, firstHead, firstHead + count - 1, args);
    // Queries are no longer needed: one divided by the sum of each one's shares comes in their place.
    v128.store(queries, softmaxFour(scores, past + 1));
    memory.fill(sums, 0, padded * rowBytes);
    for (let row: usize = 0; row <= past; row += rows) {
      rows = rowsFrom(row, past);
      const values = row < past ? pastValues + row * rowBytes : presentValue;
      beginTile(values, row, past, rowBytes);
      mixFour(sums, scores + (row << 4), values, rows, rowBytes, values + bytesAhead(row, past, rowBytes));
    }
    for (let one: usize = 0; one < count; one++) {
      scaled(context + one * rowBytes, sums + one * rowBytes, load<f32>(queries + (one << 2)), rowBytes);
    }
    return;
  }

  let rows: usize = 0;
  for (let row: usize = 0; row <= past; row += rows) {
    rows = rowsFrom(row, past);
    const keys = row < past ? pastKeys + row * rowBytes : presentKey;
    const next = keys + bytesAhead(row, past, rowBytes);
    beginTile(keys, row, past, rowBytes);
    for (let one: usize = 0; one < count; one++) {
      const out = scores + one * scoreBytes + (row << 2);
      scoreOne(out, queries + one * rowBytes, keys, rows, rowBytes, next);
    }
  }
  for (let one: usize = 0; one < count; one++) {
    addToOne(scores + one * scoreBytes, sequence, firstHead + one, args);
    softmaxOne(scores + one * scoreBytes, past + 1, scoreBytes);
  }
  memory.fill(context, 0, count * rowBytes);
  for (let row: usize = 0; row <= past; row += rows) {
    rows = rowsFrom(row, past);
    const values = row < past ? pastValues + row * rowBytes : presentValue;
    const next = values + bytesAhead(row, past, rowBytes);
    beginTile(values, row, past, rowBytes);
    for (let one: usize = 0; one < count; one++) {
      const shares = scores + one * scoreBytes + (row << 2);
      mixOne(context + one * rowBytes, shares, values, rows, rowBytes, next);
    }
  }
}
