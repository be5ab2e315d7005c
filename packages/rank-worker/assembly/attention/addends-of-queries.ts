// The addends of the scores of up to eight queries, and the keys that they hide from all of them.

import { addendAt, Arguments } from "./arguments";

/** Bytes of the table of {@link findAddends} for each addend. */
const addendBytes: usize = 32;

/** Writes the addresses of each addend's numbers for each query: `[addend][query]`. Missing queries get the last's. */
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

/**
 * Writes the sum of all addends to `scores[stream][row][query]`, for `rows` keys of each of `count` streams, of which
 * the first begins at `key`.
 *
 * @param distance keys from one stream to the next
 * @returns whether any query may see any of these keys, which a mask would hide by a large negative addend
 */
export function putAddends(
  scores: usize,
  key: usize,
  rows: usize,
  count: usize,
  distance: usize,
  table: usize,
  args: Arguments,
): bool {
  if (args.addends === 0) {
    // Calls of memory.fill cost more than so few bytes.
    for (const end = scores + ((count * rows) << 5); scores < end; scores += 16) v128.store(scores, f32x4.splat(0));
    return true;
  }
  let most = f32x4.splat(0);
  for (let which: usize = 0; which < args.addends; which++, table += addendBytes) {
    const shared = isSame(table);
    let at = scores;
    most = f32x4.splat(-f32.MAX_VALUE);
    for (let stream: usize = 0, first = key; stream < count; stream++, first += distance, at += rows << 5) {
      let here: v128;
      if (shared) {
        const from = load<usize>(table) + (first << 2);
        here = which === 0 ? putOne(at, from, rows, false) : putOne(at, from, rows, true);
      } else {
        here = which === 0 ? putEach(at, table, first, rows, false) : putEach(at, table, first, rows, true);
      }
      most = f32x4.pmax(most, here);
    }
  }
  return v128.any_true(f32x4.gt(most, f32x4.splat(leastSeen)));
}

/** The past row after which all are hidden, or up to seven rows more. */
export function endOfSeen(past: usize, scratch: usize, table: usize, args: Arguments): usize {
  let end = past;
  while (end > 0) {
    const rows = min(step, end);
    if (putAddends(scratch, end - rows, rows, 1, 0, table, args)) break;
    end -= rows;
  }
  return end;
}

/** The row before which all are hidden, of those up to `end`, or up to seven rows fewer. */
export function firstSeen(end: usize, scratch: usize, table: usize, args: Arguments): usize {
  let first: usize = 0;
  while (first < end) {
    const rows = min(step, end - first);
    if (putAddends(scratch, first, rows, 1, 0, table, args)) break;
    first += rows;
  }
  return first;
}

/** Rows that are examined at a time to find where the visible ones start and end. */
const step: usize = 8;

/** Bytes of scratch memory for that. */
export const seenBytes: usize = step << 5;

/** A score below this is that of a hidden key: beside any other score, its share is 0. */
const leastSeen: f32 = -1e30;

/** Whether one of eight numbers, each query's largest score or addend, is that of a hidden key. */
export function seesNone(numbers: usize): bool {
  const least = f32x4.splat(leastSeen);
  return v128.any_true(v128.or(f32x4.lt(v128.load(numbers), least), f32x4.lt(v128.load(numbers, 16), least)));
}

/** Whether all eight queries share an addend's numbers. */
function isSame(table: usize): bool {
  const first = v128.load_splat<u32>(table);
  const one = i32x4.eq(first, v128.load(table));
  return i32x4.all_true(v128.and(one, i32x4.eq(first, v128.load(table, 16))));
}

/**
 * Writes the same numbers for all eight queries, or adds them to what is there.
 *
 * @returns the largest results
 */
@inline
function putOne(scores: usize, from: usize, rows: usize, adds: bool): v128 {
  let most = f32x4.splat(-f32.MAX_VALUE);
  for (const end = scores + (rows << 5); scores < end; scores += 32, from += 4) {
    const addend = v128.load_splat<f32>(from);
    most = f32x4.pmax(most, put(scores, addend, adds));
    most = f32x4.pmax(most, put(scores + 16, addend, adds));
  }
  return most;
}

/** Likewise, with each query's own numbers. */
@inline
function putEach(scores: usize, table: usize, key: usize, rows: usize, adds: bool): v128 {
  const some = putFour(scores, table, key, rows, adds);
  return f32x4.pmax(some, putFour(scores + 16, table + 16, key, rows, adds));
}

@inline
function putFour(scores: usize, table: usize, key: usize, rows: usize, adds: bool): v128 {
  let most = f32x4.splat(-f32.MAX_VALUE);
  let a = load<usize>(table) + (key << 2);
  let b = load<usize>(table, 4) + (key << 2);
  let c = load<usize>(table, 8) + (key << 2);
  let d = load<usize>(table, 12) + (key << 2);
  for (const end = scores + (rows << 5); scores < end; scores += 32, a += 4, b += 4, c += 4, d += 4) {
    let addend = v128.load_zero<f32>(a);
    addend = v128.load_lane<f32>(b, addend, 1);
    addend = v128.load_lane<f32>(c, addend, 2);
    addend = v128.load_lane<f32>(d, addend, 3);
    most = f32x4.pmax(most, put(scores, addend, adds));
  }
  return most;
}

/** @returns what it has written */
@inline
function put(at: usize, addend: v128, adds: bool): v128 {
  const sum = adds ? f32x4.add(v128.load(at), addend) : addend;
  v128.store(at, sum);
  return sum;
}
