// Attention of four queries to one head of keys and values. Scores have one number of each query in a vector, and every
// row of keys and values that is loaded is used for all four:
//
//   packed   [lanes / 4][query][4]     queries
//   scores   [row][query]              then shares
//   sums     [lanes / 4][query][4]

import { addendAt, Arguments } from "./arguments";
import { shareEach } from "./shares";
import { madd, storePair, sumEach } from "../vectors";

/** Packs four queries that lie one after the other. */
export function packFour(packed: usize, queries: usize, rowBytes: usize): void {
  for (let lane: usize = 0; lane < rowBytes; lane += 16, packed += 64) {
    const at = queries + lane;
    v128.store(packed, v128.load(at));
    v128.store(packed, v128.load(at + rowBytes), 16);
    v128.store(packed, v128.load(at + 2 * rowBytes), 32);
    v128.store(packed, v128.load(at + 3 * rowBytes), 48);
  }
}

/**
 * `scores[row][query] = query · key[row]`.
 *
 * @param streams eight, four, or one, of `each` keys
 */
export function scoreFour(
  scores: usize,
  packed: usize,
  keys: usize,
  streams: usize,
  each: usize,
  rowBytes: usize,
): void {
  const toNext = each * rowBytes;
  const toScores = each << 4;
  for (const end = scores + toScores; scores < end; scores += 16, keys += rowBytes) {
    if (streams === 1) {
      scoreRow(scores, packed, keys, rowBytes);
      continue;
    }
    let score = scores;
    let key = keys;
    for (let stream: usize = 0; stream < streams; stream += 2, score += 2 * toScores, key += 2 * toNext) {
      scoreTwoRows(score, toScores, packed, key, toNext, rowBytes);
    }
  }
}

/**
 * Scores a row of each of two streams. That makes eight independent sums: an addition takes several cycles, and two can
 * begin in each.
 */
@inline
function scoreTwoRows(
  scores: usize,
  toScores: usize,
  packed: usize,
  keys: usize,
  toNext: usize,
  rowBytes: usize,
): void {
  let a0 = f32x4.splat(0);
  let b0 = a0;
  let c0 = a0;
  let d0 = a0;
  let a1 = a0;
  let b1 = a0;
  let c1 = a0;
  let d1 = a0;
  let query = packed;
  let key = keys;
  let next = keys + toNext;
  for (const end = keys + rowBytes; key < end; key += 16, next += 16, query += 64) {
    const k0 = v128.load(key);
    const k1 = v128.load(next);
    let q = v128.load(query);
    a0 = madd(q, k0, a0);
    a1 = madd(q, k1, a1);
    q = v128.load(query, 16);
    b0 = madd(q, k0, b0);
    b1 = madd(q, k1, b1);
    q = v128.load(query, 32);
    c0 = madd(q, k0, c0);
    c1 = madd(q, k1, c1);
    q = v128.load(query, 48);
    d0 = madd(q, k0, d0);
    d1 = madd(q, k1, d1);
  }
  v128.store(scores, sumEach(a0, b0, c0, d0));
  v128.store(scores + toScores, sumEach(a1, b1, c1, d1));
}

@inline
function scoreRow(scores: usize, packed: usize, keys: usize, rowBytes: usize): void {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let query = packed;
  for (let key = keys, end = keys + rowBytes; key < end; key += 16, query += 64) {
    const k = v128.load(key);
    a = madd(v128.load(query), k, a);
    b = madd(v128.load(query, 16), k, b);
    c = madd(v128.load(query, 32), k, c);
    d = madd(v128.load(query, 48), k, d);
  }
  v128.store(scores, sumEach(a, b, c, d));
}

/**
 * Adds every addend's numbers for this sequence and the four query heads from `head` on (those after `last` get the
 * last's): for `seen` past keys from `from` on, and for the new key.
 */
export function addToFour(
  scores: usize,
  from: usize,
  seen: usize,
  sequence: usize,
  head: usize,
  last: usize,
  args: Arguments,
): void {
  for (let which: usize = 0; which < args.addends; which++) {
    const addend = addendAt(args, which);
    const a = addend.at + sequence * addend.perSequence + head * addend.perHead;
    const b = a + (min(head + 1, last) - head) * addend.perHead;
    const c = a + (min(head + 2, last) - head) * addend.perHead;
    const d = a + (min(head + 3, last) - head) * addend.perHead;
    const end = scores + (seen << 4);
    let offset = from << 2;
    for (let at = scores; at <= end; at += 16, offset += 4) {
      if (at === end) offset = <usize>args.past << 2;
      let sum: v128;
      if (addend.perHead === 0) {
        sum = v128.load_splat<f32>(a + offset);
      } else {
        sum = v128.load_zero<f32>(a + offset);
        sum = v128.load_lane<f32>(b + offset, sum, 1);
        sum = v128.load_lane<f32>(c + offset, sum, 2);
        sum = v128.load_lane<f32>(d + offset, sum, 3);
      }
      v128.store(at, f32x4.add(v128.load(at), sum));
    }
  }
}

/**
 * In place, shares that are not yet divided by their sum.
 *
 * @param room for four floats
 * @returns one divided by the sum
 */
export function softmaxFour(scores: usize, count: usize, room: usize): v128 {
  const end = scores + (count << 4);
  let most = v128.load(scores);
  for (let at = scores + 16; at < end; at += 16) most = f32x4.pmax(most, v128.load(at));
  v128.store(room, most);
  return f32x4.div(f32x4.splat(1), shareEach(scores, end, room));
}

/**
 * `sums += Σ_row share[row][query] · value[row]`.
 *
 * @param streams eight, four, or one, of `each` values
 */
export function mixFour(
  sums: usize,
  shares: usize,
  values: usize,
  streams: usize,
  each: usize,
  rowBytes: usize,
): void {
  const toNext = each * rowBytes;
  const toShares = each << 4;
  for (const end = shares + toShares; shares < end; shares += 16, values += rowBytes) {
    if (streams === 1) {
      mixRow(sums, shares, values, rowBytes);
      continue;
    }
    let share = shares;
    let value = values;
    for (let stream: usize = 0; stream < streams; stream += 2, share += 2 * toShares, value += 2 * toNext) {
      mixTwoRows(sums, share, toShares, value, toNext, rowBytes);
    }
  }
}

/** Mixes a row of each of two streams. */
@inline
function mixTwoRows(
  sums: usize,
  shares: usize,
  toShares: usize,
  values: usize,
  toNext: usize,
  rowBytes: usize,
): void {
  const a0 = v128.load_splat<f32>(shares);
  const b0 = v128.load_splat<f32>(shares, 4);
  const c0 = v128.load_splat<f32>(shares, 8);
  const d0 = v128.load_splat<f32>(shares, 12);
  const other = shares + toShares;
  const a1 = v128.load_splat<f32>(other);
  const b1 = v128.load_splat<f32>(other, 4);
  const c1 = v128.load_splat<f32>(other, 8);
  const d1 = v128.load_splat<f32>(other, 12);
  let next = values + toNext;
  for (const end = values + rowBytes; values < end; values += 16, next += 16) {
    const v0 = v128.load(values);
    const v1 = v128.load(next);
    const a = madd(a1, v1, madd(a0, v0, v128.load(sums)));
    const b = madd(b1, v1, madd(b0, v0, v128.load(sums, 16)));
    const c = madd(c1, v1, madd(c0, v0, v128.load(sums, 32)));
    const d = madd(d1, v1, madd(d0, v0, v128.load(sums, 48)));
    storePair(sums, a, b);
    sums += 32;
    storePair(sums, c, d);
    sums += 32;
  }
}

@inline
function mixRow(sums: usize, shares: usize, values: usize, rowBytes: usize): void {
  const a = v128.load_splat<f32>(shares);
  const b = v128.load_splat<f32>(shares, 4);
  const c = v128.load_splat<f32>(shares, 8);
  const d = v128.load_splat<f32>(shares, 12);
  for (const end = values + rowBytes; values < end; values += 16, sums += 64) {
    const v = v128.load(values);
    v128.store(sums, madd(a, v, v128.load(sums)));
    v128.store(sums, madd(b, v, v128.load(sums, 16)), 16);
    v128.store(sums, madd(c, v, v128.load(sums, 32)), 32);
    v128.store(sums, madd(d, v, v128.load(sums, 48)), 48);
  }
}

/**
 * `out = sum · factor`, lane by lane of one query.
 *
 * @param sums of its first four lanes
 */
export function scaled(out: usize, sums: usize, factor: f32, rowBytes: usize): void {
  const factors = f32x4.splat(factor);
  for (let lane: usize = 0; lane < rowBytes; lane += 16, sums += 64) {
    v128.store(out + lane, f32x4.mul(v128.load(sums), factors));
  }
}
