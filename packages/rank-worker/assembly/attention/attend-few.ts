// Attention of up to four queries of one row and one key head: three or four side by side, one or two one by one. They
// need little arithmetic for what they read, so memory alone determines their speed.

import { Arguments } from "./arguments";
import { endOfSeen, findAddends, firstSeen, putAddends, seenBytes, seesNone } from "./addends-of-queries";
import { addToFour, mixFour, packFour, scaled, scoreFour, softmaxFour } from "./four-queries";
import { addToOne, mixQueries, scoreQueries, softmaxOne } from "./one-query";
import { rotateQuery } from "./rows";
import { rowsFrom, streamsFrom } from "./rows-in-streams";

/** Rows by which caches grow (src/cache/rows.ts). Streams of multiples of it mostly lie half a page apart. */
const block: usize = 64;

/** Computes the attention of a group's queries from `first` on. */
export function attendFew(sequence: usize, head: usize, first: usize, args: Arguments): void {
  const group = <usize>args.group;
  const past = <usize>args.past;
  const rowBytes = <usize>args.lanes << 2;
  const at = sequence * args.keyValueHeads + head;
  const presentKey = args.presentKeys + at * rowBytes;
  const presentValue = args.presentValues + at * rowBytes;
  const context = args.context + (at * group + first) * rowBytes;
  const count = group - first;
  const firstHead = head * group + first;

  // Keys at either end that a mask hides from all of these queries are skipped, if each query sees at least the new
  // key: beside a long sequence, the cache of a short one has as many rows.
  const addends = args.scratch + seenBytes;
  findAddends(addends, sequence, head, first, count, args);
  putAddends(args.scratch, past, 1, 1, 0, addends, args);
  const isAll = seesNone(args.scratch);
  const to = isAll ? past : min(past, (endOfSeen(past, args.scratch, addends, args) + block - 1) & ~(block - 1));
  const from: usize = isAll ? 0 : firstSeen(to, args.scratch, addends, args);
  const seen = to - from;
  const pastKeys = args.pastKeys + (at * past + from) * rowBytes;
  const pastValues = args.pastValues + (at * past + from) * rowBytes;

  // If there are only three, the third is repeated.
  const padded: usize = count > 2 ? 4 : count;
  // Rounded up to whole vectors.
  const scoreBytes = ((seen + 4) & ~3) << 2;
  // scratchLength in src/attention/row-attention.ts is the most that this comes to.
  const queries = args.scratch;
  const packed = queries + padded * rowBytes;
  const sums = packed + padded * rowBytes;
  const scores = sums + padded * rowBytes;
  for (let one: usize = 0; one < padded; one++) {
    rotateQuery(queries + one * rowBytes, sequence, head, first + min(one, count - 1), args);
  }

  let each: usize = 0;
  let streams: usize = 0;
  if (count > 2) {
    packFour(packed, queries, rowBytes);
    for (let row: usize = 0; row <= seen; row += streams * each) {
      streams = streamsFrom(row, seen);
      each = rowsFrom(row, seen, streams, rowBytes);
      const keys = row < seen ? pastKeys + row * rowBytes : presentKey;
      scoreFour(scores + (row << 4), packed, keys, streams, each, rowBytes);
    }
    addToFour(scores, from, seen, sequence, firstHead, firstHead + count - 1, args);
    // Queries are no longer needed, so the inverse of each one's sum of shares replaces them.
    v128.store(queries, softmaxFour(scores, seen + 1, queries));
    memory.fill(sums, 0, padded * rowBytes);
    for (let row: usize = 0; row <= seen; row += streams * each) {
      streams = streamsFrom(row, seen);
      each = rowsFrom(row, seen, streams, rowBytes);
      const values = row < seen ? pastValues + row * rowBytes : presentValue;
      mixFour(sums, scores + (row << 4), values, streams, each, rowBytes);
    }
    for (let one: usize = 0; one < count; one++) {
      scaled(context + one * rowBytes, sums + (one << 4), load<f32>(queries + (one << 2)), rowBytes);
    }
    return;
  }

  for (let row: usize = 0; row <= seen; row += streams * each) {
    streams = streamsFrom(row, seen);
    each = rowsFrom(row, seen, streams, rowBytes);
    const keys = row < seen ? pastKeys + row * rowBytes : presentKey;
    scoreQueries(scores + (row << 2), scoreBytes, queries, count, keys, streams, each, rowBytes);
  }
  for (let one: usize = 0; one < count; one++) {
    addToOne(scores + one * scoreBytes, from, seen, sequence, firstHead + one, args);
    softmaxOne(scores + one * scoreBytes, seen + 1, scoreBytes, queries);
  }
  memory.fill(context, 0, count * rowBytes);
  for (let row: usize = 0; row <= seen; row += streams * each) {
    streams = streamsFrom(row, seen);
    each = rowsFrom(row, seen, streams, rowBytes);
    const values = row < seen ? pastValues + row * rowBytes : presentValue;
    mixQueries(context, scores + (row << 2), scoreBytes, count, values, streams, each, rowBytes);
  }
}
