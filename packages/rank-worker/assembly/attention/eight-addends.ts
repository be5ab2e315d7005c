// What is added to the scores of eight queries.

import { addendAt, Arguments } from "./arguments";

/** Bytes of the table of {@link findAddends} for each addend. */
const addendBytes: usize = 32;

/**
 * For each addend, where it has the numbers of each of the eight queries: [addend][query]. The last counts for those
 * that there are none of.
 */
export function findAddends(
  table: usize,
  sequence: usize,
  head: usize,
  first: usize,
  count: usize,
  args: Arguments,
): void {
  const group = <usize>args.group;
  for (let which: usize = 0; which < args.addends; which++) {
    const addend = addendAt(args, which);
    for (let query: usize = 0; query < 8; query++, table += 4) {
      const ofHead = (head * group + first + min(query, count - 1)) * addend.perHead;
      store<usize>(table, addend.at + sequence * addend.perSequence + ofHead);
    }
  }
}

/** `scores[row][query]`: the addends of `rows` keys from this one on. */
export function addAddends(scores: usize, key: usize, rows: usize, table: usize, args: Arguments): void {
  // Calls of memory.fill cost more than so few bytes.
  for (let at = scores, end = scores + (rows << 5); at < end; at += 16) v128.store(at, f32x4.splat(0));
  for (const end = table + <usize>args.addends * addendBytes; table < end; table += addendBytes) {
    if (isSame(table)) addOne(scores, load<usize>(table) + (key << 2), rows);
    else {
      addFour(scores, table, key, rows);
      addFour(scores + 16, table + 16, key, rows);
    }
  }
}

/** Whether any of the eight queries may see any of these rows. What a mask adds leaves nothing of a score. */
export function isAnySeen(scores: usize, rows: usize): bool {
  const masked = f32x4.splat(leastSeen);
  for (const end = scores + (rows << 5); scores < end; scores += 32) {
    const seen = v128.or(f32x4.gt(v128.load(scores), masked), f32x4.gt(v128.load(scores, 16), masked));
    if (v128.any_true(seen)) return true;
  }
  return false;
}

/** Behind which of the past rows all are hidden, to the next multiple of some. */
export function endOfSeen(past: usize, scratch: usize, table: usize, args: Arguments): usize {
  let end = past;
  while (end > 0) {
    const rows = min(step, end);
    addAddends(scratch, end - rows, rows, table, args);
    if (isAnySeen(scratch, rows)) break;
    end -= rows;
  }
  return end;
}

/** Before which of the rows up to `end` all are hidden, likewise. */
export function firstSeen(end: usize, scratch: usize, table: usize, args: Arguments): usize {
  let first: usize = 0;
  while (first < end) {
    const rows = min(step, end - first);
    addAddends(scratch, first, rows, table, args);
    if (isAnySeen(scratch, rows)) break;
    first += rows;
  }
  return first;
}

/** Rows that are looked at at once for where those begin and end that are seen. */
const step: usize = 8;

/** Beside a score that is less, others have shares, and it has none. */
export const leastSeen: f32 = -1e30;

/** Whether the eight have the same numbers. */
function isSame(table: usize): bool {
  const first = v128.load_splat<u32>(table);
  const one = i32x4.eq(first, v128.load(table));
  return i32x4.all_true(v128.and(one, i32x4.eq(first, v128.load(table, 16))));
}

/** Adds the same numbers for all eight. */
function addOne(scores: usize, from: usize, rows: usize): void {
  for (const end = scores + (rows << 5); scores < end; scores += 32, from += 4) {
    const addend = v128.load_splat<f32>(from);
    v128.store(scores, f32x4.add(v128.load(scores), addend));
    v128.store(scores, f32x4.add(v128.load(scores, 16), addend), 16);
  }
}

/** Adds the numbers of four queries, which each lie by themselves. */
function addFour(scores: usize, table: usize, key: usize, rows: usize): void {
  let a = load<usize>(table) + (key << 2);
  let b = load<usize>(table, 4) + (key << 2);
  let c = load<usize>(table, 8) + (key << 2);
  let d = load<usize>(table, 12) + (key << 2);
  for (const end = scores + (rows << 5); scores < end; scores += 32, a += 4, b += 4, c += 4, d += 4) {
    let addend = v128.load_zero<f32>(a);
    addend = v128.load_lane<f32>(b, addend, 1);
    addend = v128.load_lane<f32>(c, addend, 2);
    addend = v128.load_lane<f32>(d, addend, 3);
    v128.store(scores, f32x4.add(v128.load(scores), addend));
  }
}
