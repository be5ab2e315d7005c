// Attention of eight queries of one key head, tile by tile of the keys, with an online softmax
// (https://arxiv.org/abs/2205.14135): all intermediate results stay in the L1 cache, and keys and values are each read
// once. Keys that are hidden from all eight queries are skipped.

import { Arguments } from "./arguments";
import { endOfSeen, findAddends, firstSeen, putAddends, seesNone } from "./addends-of-queries";
import { placeOf, streamRows, streams } from "./eight-queries/layout";
import { mixEight, mixEightOfRows } from "./eight-queries/mix-eight";
import { scoreEight, scoreEightOfRows } from "./eight-queries/score-eight";
import { rescaleEight, shareEight } from "./eight-queries/share-eight";
import { pageBytes } from "../memory-units";
import { rotateQuery } from "./rows";

/** @param count number of the group's queries from `first` on, up to 8 */
export function attendEight(sequence: usize, head: usize, first: usize, count: usize, isWide: bool, args: Arguments): void {
  const rowBytes = <usize>args.lanes << 2;
  // scratchLength in src/attention/row-attention.ts is the total.
  const packed = args.scratch;
  const sums = packed + (rowBytes << 3);
  const scores = sums + (rowBytes << 3);
  const most = scores + ((streams * streamRows) << 5);
  const totals = most + 32;
  const before = totals + 32;
  const query = before + 32;
  const addends = query + rowBytes;

  for (let one: usize = 0; one < 8; one++) {
    // If there are fewer than eight, the last one is repeated.
    rotateQuery(query, sequence, head, first + min(one, count - 1), args);
    const place = packed + placeOf(one);
    for (let lanes: usize = 0; lanes < rowBytes; lanes += 8) {
      store<u64>(place + (lanes << 3), load<u64>(query + lanes));
    }
  }
  findAddends(addends, sequence, head, first, count, args);

  let all = false;
  do {
    memory.fill(sums, 0, rowBytes << 3);
    v128.store(totals, f32x4.splat(0));
    v128.store(totals, f32x4.splat(0), 16);
    v128.store(most, f32x4.splat(-f32.MAX_VALUE));
    v128.store(most, f32x4.splat(-f32.MAX_VALUE), 16);
    memory.copy(before, most, 32);
    const ofHead = sequence * args.keyValueHeads + head;
    const past = <usize>args.past;
    const pastKeys = args.pastKeys + ofHead * past * rowBytes;
    const pastValues = args.pastValues + ofHead * past * rowBytes;
    const to = all ? past : endOfSeen(past, scores, addends, args);
    const from: usize = all ? 0 : firstSeen(to, scores, addends, args);

    let rows: usize = 0;
    let done = from;
    while (to - done >= streams) {
      const ofStream = rowsOfStream(to - done, rowBytes);
      const distance = ofStream * rowBytes;
      for (const end = done + ofStream; done < end; done += rows) {
        rows = min(streamRows, end - done);
        const isAnySeen = putAddends(scores, done, rows, streams, ofStream, addends, args);
        if (!all && !isAnySeen) continue;
        scoreEight(scores, packed, pastKeys + done * rowBytes, rows, distance, rowBytes, most, isWide);
        rescaleEight(sums, totals, rowBytes, before, most);
        shareEight(scores, streams * rows, most, totals);
        mixEight(sums, scores, pastValues + done * rowBytes, rows, distance, rowBytes, isWide);
      }
      done += (streams - 1) * ofStream;
    }

    // Up to three remaining rows, and the new one, which is elsewhere.
    for (let key = done; key <= past; key += rows) {
      if (key === to) key = past;
      const isNew = key === past;
      rows = isNew ? 1 : to - key;
      const keys = isNew ? args.presentKeys + ofHead * rowBytes : pastKeys + key * rowBytes;
      const values = isNew ? args.presentValues + ofHead * rowBytes : pastValues + key * rowBytes;
      const isAnySeen = putAddends(scores, key, rows, 1, 0, addends, args);
      if (!all && !isAnySeen) continue;
      scoreEightOfRows(scores, packed, keys, rows, rowBytes, most);
      rescaleEight(sums, totals, rowBytes, before, most);
      shareEight(scores, rows, most, totals);
      mixEightOfRows(sums, scores, values, rows, rowBytes);
    }
    // A query that may see no key at all gives all of them the same share.
    all = !all && seesNone(most);
  } while (all);

  let out = args.context + ((sequence * args.keyValueHeads + head) * args.group + first) * rowBytes;
  for (let one: usize = 0; one < count; one++, out += rowBytes) {
    const inverse = f32x4.splat(1 / load<f32>(totals + (one << 2)));
    const place = sums + placeOf(one);
    for (let lanes: usize = 0; lanes < rowBytes; lanes += 8) {
      const ofPair = v128.load_zero<u64>(place + (lanes << 3));
      v128.store_lane<u64>(out + lanes, f32x4.mul(ofPair, inverse), 0);
    }
  }
}

/**
 * How many of the remaining rows each of the four streams has. Streams that lie whole pages apart enter a new page at the
 * same time, so they wait for memory together. Rows that are left over are the streams of another round.
 */
function rowsOfStream(left: usize, rowBytes: usize): usize {
  const rows = left / streams;
  // The largest power of two that divides a row's length.
  const divisor = rowBytes & -rowBytes;
  const apart = divisor < pageBytes ? pageBytes / divisor : 1;
  return rows < apart ? rows : rows - (rows % apart);
}
