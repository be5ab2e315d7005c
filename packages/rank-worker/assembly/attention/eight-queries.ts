// Attention of eight queries to rows of one head of keys and values. Two vectors hold one number of each query, so a
// number of a key or value is loaded once for all eight, and nothing is added up across the lanes of a vector:
//
//   packed   [lane][query]             queries
//   scores   [stream][row][query]      then shares
//   sums     [lane][query]
//
// Past keys and values are read in four streams, from as many parts of the cache, a row of each in turn and each row
// from beginning to end: so processors prefetch them. With one stream they would wait for memory at each new page.
//
// Scores have four keys' sums in registers, two vectors each: an addition takes four cycles, and two can begin in each.
// An iteration adds once to each sum, since V8 would put several additions to one sum next to each other, and would then
// have to move sums out of registers. Values are added to sums in the L1 cache, all lanes of four rows before the next.

import { exponential, madd, storePair } from "../vectors";

export const streams: usize = 4;

/** Rows of each stream in a tile, whose scores stay in the L1 cache. */
export const streamRows: usize = 32;

/**
 * `scores[stream][row][query] += query · key[stream][row]`, for four streams of so many rows. `most` rises to each
 * query's largest score.
 *
 * @param distance bytes from one stream to the next
 */
export function scoreEight(
  scores: usize,
  packed: usize,
  keys: usize,
  rows: usize,
  distance: usize,
  rowBytes: usize,
  most: usize,
): void {
  const end = packed + (rowBytes << 3);
  const toStream = rows << 5;
  let m0 = v128.load(most);
  let m1 = v128.load(most, 16);
  for (const last = scores + toStream; scores < last; scores += 32, keys += rowBytes) {
    let a0 = f32x4.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    let a = keys;
    let b = a + distance;
    let c = b + distance;
    let d = c + distance;
    for (let query = packed; query < end; query += 32, a += 4, b += 4, c += 4, d += 4) {
      const q0 = v128.load(query);
      const q1 = v128.load(query, 16);
      let k = v128.load_splat<f32>(a);
      a0 = madd(k, q0, a0);
      a1 = madd(k, q1, a1);
      k = v128.load_splat<f32>(b);
      b0 = madd(k, q0, b0);
      b1 = madd(k, q1, b1);
      k = v128.load_splat<f32>(c);
      c0 = madd(k, q0, c0);
      c1 = madd(k, q1, c1);
      k = v128.load_splat<f32>(d);
      d0 = madd(k, q0, d0);
      d1 = madd(k, q1, d1);
    }
    let at = scores;
    a0 = f32x4.add(a0, v128.load(at));
    a1 = f32x4.add(a1, v128.load(at, 16));
    storePair(at, a0, a1);
    at += toStream;
    b0 = f32x4.add(b0, v128.load(at));
    b1 = f32x4.add(b1, v128.load(at, 16));
    storePair(at, b0, b1);
    at += toStream;
    c0 = f32x4.add(c0, v128.load(at));
    c1 = f32x4.add(c1, v128.load(at, 16));
    storePair(at, c0, c1);
    at += toStream;
    d0 = f32x4.add(d0, v128.load(at));
    d1 = f32x4.add(d1, v128.load(at, 16));
    storePair(at, d0, d1);
    m0 = f32x4.pmax(m0, f32x4.pmax(f32x4.pmax(a0, b0), f32x4.pmax(c0, d0)));
    m1 = f32x4.pmax(m1, f32x4.pmax(f32x4.pmax(a1, b1), f32x4.pmax(c1, d1)));
  }
  storePair(most, m0, m1);
}

/** Likewise, for one stream of a few rows. */
export function scoreEightOfRows(
  scores: usize,
  packed: usize,
  keys: usize,
  rows: usize,
  rowBytes: usize,
  most: usize,
): void {
  const end = packed + (rowBytes << 3);
  let m0 = v128.load(most);
  let m1 = v128.load(most, 16);
  for (const last = scores + (rows << 5); scores < last; scores += 32) {
    let a0 = f32x4.splat(0);
    let a1 = a0;
    for (let query = packed; query < end; query += 32, keys += 4) {
      const k = v128.load_splat<f32>(keys);
      a0 = madd(k, v128.load(query), a0);
      a1 = madd(k, v128.load(query, 16), a1);
    }
    a0 = f32x4.add(a0, v128.load(scores));
    a1 = f32x4.add(a1, v128.load(scores, 16));
    storePair(scores, a0, a1);
    m0 = f32x4.pmax(m0, a0);
    m1 = f32x4.pmax(m1, a1);
  }
  storePair(most, m0, m1);
}

/** Turns scores into shares that are not yet divided by their sum, in place, and adds them to `totals`. */
export function shareEight(scores: usize, rows: usize, most: usize, totals: usize): void {
  const m0 = v128.load(most);
  const m1 = v128.load(most, 16);
  let t0 = v128.load(totals);
  let t1 = v128.load(totals, 16);
  for (const end = scores + (rows << 5); scores < end; scores += 32) {
    const p0 = exponential(f32x4.sub(v128.load(scores), m0));
    const p1 = exponential(f32x4.sub(v128.load(scores, 16), m1));
    storePair(scores, p0, p1);
    t0 = f32x4.add(t0, p0);
    t1 = f32x4.add(t1, p1);
  }
  storePair(totals, t0, t1);
}

/**
 * `sums[lane][query] += Σ share[stream][row][query] · value[stream][row][lane]`, for four streams of so many rows.
 *
 * @param distance bytes from one stream to the next
 */
export function mixEight(
  sums: usize,
  shares: usize,
  values: usize,
  rows: usize,
  distance: usize,
  rowBytes: usize,
): void {
  const end = sums + (rowBytes << 3);
  const toStream = rows << 5;
  for (const last = shares + toStream; shares < last; shares += 32, values += rowBytes) {
    let at = shares;
    const a0 = v128.load(at);
    const a1 = v128.load(at, 16);
    at += toStream;
    const b0 = v128.load(at);
    const b1 = v128.load(at, 16);
    at += toStream;
    const c0 = v128.load(at);
    const c1 = v128.load(at, 16);
    at += toStream;
    const d0 = v128.load(at);
    const d1 = v128.load(at, 16);
    let a = values;
    let b = a + distance;
    let c = b + distance;
    let d = c + distance;
    for (let sum = sums; sum < end; sum += 32, a += 4, b += 4, c += 4, d += 4) {
      let s0 = v128.load(sum);
      let s1 = v128.load(sum, 16);
      let v = v128.load_splat<f32>(a);
      s0 = madd(v, a0, s0);
      s1 = madd(v, a1, s1);
      v = v128.load_splat<f32>(b);
      s0 = madd(v, b0, s0);
      s1 = madd(v, b1, s1);
      v = v128.load_splat<f32>(c);
      s0 = madd(v, c0, s0);
      s1 = madd(v, c1, s1);
      v = v128.load_splat<f32>(d);
      s0 = madd(v, d0, s0);
      s1 = madd(v, d1, s1);
      storePair(sum, s0, s1);
    }
  }
}

/** Likewise, for one stream of a few rows. */
export function mixEightOfRows(sums: usize, shares: usize, values: usize, rows: usize, rowBytes: usize): void {
  const end = sums + (rowBytes << 3);
  for (const last = shares + (rows << 5); shares < last; shares += 32) {
    const p0 = v128.load(shares);
    const p1 = v128.load(shares, 16);
    for (let sum = sums; sum < end; sum += 32, values += 4) {
      const v = v128.load_splat<f32>(values);
      const s0 = madd(v, p0, v128.load(sum));
      const s1 = madd(v, p1, v128.load(sum, 16));
      storePair(sum, s0, s1);
    }
  }
}

/**
 * Rescales sums and totals, whose shares are relative to each query's largest score before, to the largest one now
 * (https://arxiv.org/abs/1805.02867).
 */
export function rescaleEight(sums: usize, totals: usize, rowBytes: usize, before: usize, now: usize): void {
  const b0 = v128.load(before);
  const b1 = v128.load(before, 16);
  const n0 = v128.load(now);
  const n1 = v128.load(now, 16);
  if (!v128.any_true(v128.or(f32x4.lt(b0, n0), f32x4.lt(b1, n1)))) return;
  const f0 = exponential(f32x4.sub(b0, n0));
  const f1 = exponential(f32x4.sub(b1, n1));
  scalePair(totals, f0, f1);
  for (const end = sums + (rowBytes << 3); sums < end; sums += 32) scalePair(sums, f0, f1);
  storePair(before, n0, n1);
}

@inline
function scalePair(at: usize, f0: v128, f1: v128): void {
  const first = f32x4.mul(v128.load(at), f0);
  const second = f32x4.mul(v128.load(at, 16), f1);
  storePair(at, first, second);
}
