// Attention of eight queries to rows of one head of keys and values. A vector holds two neighbouring lanes of two
// queries, so two numbers of a key or value are loaded once for all eight:
//
//   packed   [pair of lanes][4 vectors]   queries 0 and 1, 4 and 5, 2 and 3, 6 and 7
//   scores   [stream][row][query]         then shares
//   sums     [pair of lanes][4 vectors]   like queries
//
// In this order, the first and the last four queries are alike, and V8 computes both as one, on 256 bits
// (docs/design/wide-vectors.md). With one lane in a vector, each number of a key or value would be a load of its own for
// a single product of 256 bits, and processors load no more often than they multiply.
//
// Past keys and values are read in four streams, from as many parts of the cache, a row of each in turn and each row
// from beginning to end: so processors prefetch them. With one stream they would wait for memory at each new page.
//
// Scores have eight sums in registers: an addition takes four cycles, and two can begin in each. An iteration adds once
// to each sum, since V8 would put several additions to one sum next to each other, and would then have to move sums out
// of registers. Values are added to sums in the L1 cache, all lanes of several rows before the next. Engines with 256
// bits have registers for four rows at a time, others for two.

import { exponential, madd, storePair } from "../vectors";

export const streams: usize = 4;

/** Rows of each stream in a tile, whose scores stay in the L1 cache: with 64 lanes, a page of keys and one of values. */
export const streamRows: usize = 16;

/** Where a query's two lanes are among the 64 bytes of a pair of lanes. */
@inline
export function placeOf(query: usize): usize {
  return ((query & 2) << 4) | ((query & 4) << 2) | ((query & 1) << 3);
}

/**
 * `scores[stream][row][query] += query · key[stream][row]`, for four streams of so many rows. `most` rises to each
 * query's largest score.
 *
 * @param distance bytes from one stream to the next
 * @param isWide whether there are registers for four rows at a time
 */
export function scoreEight(
  scores: usize,
  packed: usize,
  keys: usize,
  rows: usize,
  distance: usize,
  rowBytes: usize,
  most: usize,
  isWide: bool,
): void {
  if (isWide) return scoreInFours(scores, packed, keys, rows, distance, rowBytes, most);
  scoreInTwos(scores, packed, keys, rows, distance, rowBytes, most);
}

function scoreInFours(
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
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    let c0 = a0;
    let c1 = a0;
    let c2 = a0;
    let c3 = a0;
    let d0 = a0;
    let d1 = a0;
    let d2 = a0;
    let d3 = a0;
    let a = keys;
    let b = a + distance;
    let c = b + distance;
    let d = c + distance;
    for (let query = packed; query < end; query += 64, a += 8, b += 8, c += 8, d += 8) {
      const q0 = v128.load(query);
      const q1 = v128.load(query, 16);
      const q2 = v128.load(query, 32);
      const q3 = v128.load(query, 48);
      let k = v128.load_splat<u64>(a);
      a0 = madd(k, q0, a0);
      a1 = madd(k, q1, a1);
      a2 = madd(k, q2, a2);
      a3 = madd(k, q3, a3);
      k = v128.load_splat<u64>(b);
      b0 = madd(k, q0, b0);
      b1 = madd(k, q1, b1);
      b2 = madd(k, q2, b2);
      b3 = madd(k, q3, b3);
      k = v128.load_splat<u64>(c);
      c0 = madd(k, q0, c0);
      c1 = madd(k, q1, c1);
      c2 = madd(k, q2, c2);
      c3 = madd(k, q3, c3);
      k = v128.load_splat<u64>(d);
      d0 = madd(k, q0, d0);
      d1 = madd(k, q1, d1);
      d2 = madd(k, q2, d2);
      d3 = madd(k, q3, d3);
    }
    let at = scores;
    a0 = f32x4.add(sumPairs(a0, a2), v128.load(at));
    a1 = f32x4.add(sumPairs(a1, a3), v128.load(at, 16));
    storePair(at, a0, a1);
    at += toStream;
    b0 = f32x4.add(sumPairs(b0, b2), v128.load(at));
    b1 = f32x4.add(sumPairs(b1, b3), v128.load(at, 16));
    storePair(at, b0, b1);
    at += toStream;
    c0 = f32x4.add(sumPairs(c0, c2), v128.load(at));
    c1 = f32x4.add(sumPairs(c1, c3), v128.load(at, 16));
    storePair(at, c0, c1);
    at += toStream;
    d0 = f32x4.add(sumPairs(d0, d2), v128.load(at));
    d1 = f32x4.add(sumPairs(d1, d3), v128.load(at, 16));
    storePair(at, d0, d1);
    m0 = f32x4.pmax(m0, f32x4.pmax(f32x4.pmax(a0, b0), f32x4.pmax(c0, d0)));
    m1 = f32x4.pmax(m1, f32x4.pmax(f32x4.pmax(a1, b1), f32x4.pmax(c1, d1)));
  }
  storePair(most, m0, m1);
}

function scoreInTwos(
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
    let out = scores;
    let first = keys;
    for (let stream: usize = 0; stream < streams; stream += 2, out += 2 * toStream, first += 2 * distance) {
      let a0 = f32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      let a = first;
      let b = a + distance;
      for (let query = packed; query < end; query += 64, a += 8, b += 8) {
        const q0 = v128.load(query);
        const q1 = v128.load(query, 16);
        const q2 = v128.load(query, 32);
        const q3 = v128.load(query, 48);
        let k = v128.load_splat<u64>(a);
        a0 = madd(k, q0, a0);
        a1 = madd(k, q1, a1);
        a2 = madd(k, q2, a2);
        a3 = madd(k, q3, a3);
        k = v128.load_splat<u64>(b);
        b0 = madd(k, q0, b0);
        b1 = madd(k, q1, b1);
        b2 = madd(k, q2, b2);
        b3 = madd(k, q3, b3);
      }
      let at = out;
      a0 = f32x4.add(sumPairs(a0, a2), v128.load(at));
      a1 = f32x4.add(sumPairs(a1, a3), v128.load(at, 16));
      storePair(at, a0, a1);
      at += toStream;
      b0 = f32x4.add(sumPairs(b0, b2), v128.load(at));
      b1 = f32x4.add(sumPairs(b1, b3), v128.load(at, 16));
      storePair(at, b0, b1);
      m0 = f32x4.pmax(m0, f32x4.pmax(a0, b0));
      m1 = f32x4.pmax(m1, f32x4.pmax(a1, b1));
    }
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
    let a2 = a0;
    let a3 = a0;
    for (let query = packed; query < end; query += 64, keys += 8) {
      const k = v128.load_splat<u64>(keys);
      a0 = madd(k, v128.load(query), a0);
      a1 = madd(k, v128.load(query, 16), a1);
      a2 = madd(k, v128.load(query, 32), a2);
      a3 = madd(k, v128.load(query, 48), a3);
    }
    a0 = f32x4.add(sumPairs(a0, a2), v128.load(scores));
    a1 = f32x4.add(sumPairs(a1, a3), v128.load(scores, 16));
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
  isWide: bool,
): void {
  if (isWide) return mixInFours(sums, shares, values, rows, distance, rowBytes);
  mixInTwos(sums, shares, values, rows, distance, rowBytes);
}

function mixInFours(
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
    const aFirst = v128.load(at);
    const aLast = v128.load(at, 16);
    const a0 = firstTwice(aFirst);
    const a1 = firstTwice(aLast);
    const a2 = lastTwice(aFirst);
    const a3 = lastTwice(aLast);
    at += toStream;
    const bFirst = v128.load(at);
    const bLast = v128.load(at, 16);
    const b0 = firstTwice(bFirst);
    const b1 = firstTwice(bLast);
    const b2 = lastTwice(bFirst);
    const b3 = lastTwice(bLast);
    at += toStream;
    const cFirst = v128.load(at);
    const cLast = v128.load(at, 16);
    const c0 = firstTwice(cFirst);
    const c1 = firstTwice(cLast);
    const c2 = lastTwice(cFirst);
    const c3 = lastTwice(cLast);
    at += toStream;
    const dFirst = v128.load(at);
    const dLast = v128.load(at, 16);
    const d0 = firstTwice(dFirst);
    const d1 = firstTwice(dLast);
    const d2 = lastTwice(dFirst);
    const d3 = lastTwice(dLast);
    let a = values;
    let b = a + distance;
    let c = b + distance;
    let d = c + distance;
    for (let sum = sums; sum < end; sum += 64, a += 8, b += 8, c += 8, d += 8) {
      let s0 = v128.load(sum);
      let s1 = v128.load(sum, 16);
      let s2 = v128.load(sum, 32);
      let s3 = v128.load(sum, 48);
      let v = v128.load_splat<u64>(a);
      s0 = madd(v, a0, s0);
      s1 = madd(v, a1, s1);
      s2 = madd(v, a2, s2);
      s3 = madd(v, a3, s3);
      v = v128.load_splat<u64>(b);
      s0 = madd(v, b0, s0);
      s1 = madd(v, b1, s1);
      s2 = madd(v, b2, s2);
      s3 = madd(v, b3, s3);
      v = v128.load_splat<u64>(c);
      s0 = madd(v, c0, s0);
      s1 = madd(v, c1, s1);
      s2 = madd(v, c2, s2);
      s3 = madd(v, c3, s3);
      v = v128.load_splat<u64>(d);
      s0 = madd(v, d0, s0);
      s1 = madd(v, d1, s1);
      s2 = madd(v, d2, s2);
      s3 = madd(v, d3, s3);
      storeFour(sum, s0, s1, s2, s3);
    }
  }
}

function mixInTwos(
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
    let share = shares;
    let first = values;
    for (let stream: usize = 0; stream < streams; stream += 2, share += 2 * toStream, first += 2 * distance) {
      let at = share;
      const aFirst = v128.load(at);
      const aLast = v128.load(at, 16);
      const a0 = firstTwice(aFirst);
      const a1 = firstTwice(aLast);
      const a2 = lastTwice(aFirst);
      const a3 = lastTwice(aLast);
      at += toStream;
      const bFirst = v128.load(at);
      const bLast = v128.load(at, 16);
      const b0 = firstTwice(bFirst);
      const b1 = firstTwice(bLast);
      const b2 = lastTwice(bFirst);
      const b3 = lastTwice(bLast);
      let a = first;
      let b = a + distance;
      for (let sum = sums; sum < end; sum += 64, a += 8, b += 8) {
        let s0 = v128.load(sum);
        let s1 = v128.load(sum, 16);
        let s2 = v128.load(sum, 32);
        let s3 = v128.load(sum, 48);
        let v = v128.load_splat<u64>(a);
        s0 = madd(v, a0, s0);
        s1 = madd(v, a1, s1);
        s2 = madd(v, a2, s2);
        s3 = madd(v, a3, s3);
        v = v128.load_splat<u64>(b);
        s0 = madd(v, b0, s0);
        s1 = madd(v, b1, s1);
        s2 = madd(v, b2, s2);
        s3 = madd(v, b3, s3);
        storeFour(sum, s0, s1, s2, s3);
      }
    }
  }
}

/** Likewise, for one stream of a few rows. */
export function mixEightOfRows(sums: usize, shares: usize, values: usize, rows: usize, rowBytes: usize): void {
  const end = sums + (rowBytes << 3);
  for (const last = shares + (rows << 5); shares < last; shares += 32) {
    const first = v128.load(shares);
    const second = v128.load(shares, 16);
    const p0 = firstTwice(first);
    const p1 = firstTwice(second);
    const p2 = lastTwice(first);
    const p3 = lastTwice(second);
    for (let sum = sums; sum < end; sum += 64, values += 8) {
      const v = v128.load_splat<u64>(values);
      const s0 = madd(v, p0, v128.load(sum));
      const s1 = madd(v, p1, v128.load(sum, 16));
      const s2 = madd(v, p2, v128.load(sum, 32));
      const s3 = madd(v, p3, v128.load(sum, 48));
      storeFour(sum, s0, s1, s2, s3);
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
  const f01 = firstTwice(f0);
  const f45 = firstTwice(f1);
  const f23 = lastTwice(f0);
  const f67 = lastTwice(f1);
  for (const end = sums + (rowBytes << 3); sums < end; sums += 64) {
    scalePair(sums, f01, f45);
    scalePair(sums + 32, f23, f67);
  }
  storePair(before, n0, n1);
}

@inline
function scalePair(at: usize, f0: v128, f1: v128): void {
  const first = f32x4.mul(v128.load(at), f0);
  const second = f32x4.mul(v128.load(at, 16), f1);
  storePair(at, first, second);
}

/** Sums of both lanes of four queries, of which two each are in a vector. */
@inline
function sumPairs(a: v128, b: v128): v128 {
  return f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
}

@inline
function firstTwice(a: v128): v128 {
  return v128.shuffle<f32>(a, a, 0, 0, 1, 1);
}

@inline
function lastTwice(a: v128): v128 {
  return v128.shuffle<f32>(a, a, 2, 2, 3, 3);
}

/** Not two calls of `storePair`: see docs/design/wide-vectors.md. */
@inline
function storeFour(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(out, d, 48);
  v128.store(out, c, 32);
  v128.store(out, b, 16);
  v128.store(out, a);
}
