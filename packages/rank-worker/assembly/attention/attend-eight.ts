// Attention of eight queries of one key head, tile by tile of the keys, with an online softmax
// (https://arxiv.org/abs/2205.14135): all intermediate results stay in the L1 cache, and keys and values are each read
// once. Keys that are hidden from all eight queries are skipped.

import { Arguments } from "./arguments";
import { endOfSeen, findAddends, firstSeen, putAddends, seesNone } from "./addends-of-queries";
import {
  mixEight,
  mixEightOfRows,
  rescaleEight,
  scoreEight,
  scoreEightOfRows,
  shareEight,
  streamRows,
  streams,
} from "./eight-queries";
import { rotateQuery } from "./rows";

/** @param count number of the group's queries from `first` on, up to 8 */
export function attendEight(sequence: usize, head: usize, first: usize, count: usize, args: Arguments): void {
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
    for (let lane: usize = 0; lane < rowBytes; lane += 4) {
      store<f32>(packed + (lane << 3) + (one << 2), load<f32>(query + lane));
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

    const ofStream = (to - from) / streams;
    const distance = ofStream * rowBytes;
    const left = from + ofStream;
    let rows: usize = 0;
    for (let key = from; key < left; key += rows) {
      rows = min(streamRows, left - key);
      const keys = pastKeys + key * rowBytes;
      const values = pastValues + key * rowBytes;
      const isAnySeen = putAddends(scores, key, rows, streams, ofStream, addends, args);
      if (!all && !isAnySeen) continue;
      scoreEight(scores, packed, keys, rows, distance, rowBytes, most);
      rescaleEight(sums, totals, rowBytes, before, most);
      shareEight(scores, streams * rows, most, totals);
      mixEight(sums, scores, values, rows, distance, rowBytes);
    }

    // Up to three remaining rows, and the new one, which is elsewhere.
    for (let key = from + streams * ofStream; key <= past; key += rows) {
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
    const inverse: f32 = 1 / load<f32>(totals + (one << 2));
    for (let lane: usize = 0; lane < rowBytes; lane += 4) {
      store<f32>(out + lane, load<f32>(sums + (lane << 3) + (one << 2)) * inverse);
    }
  }
}
