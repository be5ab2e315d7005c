// Attention of eight queries to rows of one head of keys and values. Two vectors hold one number of each query, so a
// number of a key or value is loaded once for all eight, and nothing is added up across the lanes of a vector:
//
//   packed   [lane][query]             queries
//   scores   [stream][row][query]      then shares
//   sums     [lane][query]
//
// The inner loops multiply four numbers by eight, into eight vectors of sums that do not depend on each other: an
// addition takes four cycles, and two can begin in each. An iteration adds once to each sum, since V8 would put several
// additions to one sum next to each other, and would then have to move sums out of registers.

import { readOn } from "./streams";
import { exponential, madd, storePair } from "../vectors";

/** Lanes of four keys that are multiplied between two calls of `readOn`, so that reading is spread over the work. */
const lanesAtOnce: usize = 32;

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
    for (let query = packed; query < end; ) {
      readOn();
      for (const pause = min(query + 32 * lanesAtOnce, end); query < pause; query += 32, a += 4, b += 4, c += 4, d += 4) {
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
 * `sums[lane][query] += Σ share[stream][row][query] · value[stream][row][lane]`.
 *
 * @param count streams, each of so many rows
 * @param distance bytes from one stream to the next
 */
export function mixEight(
  sums: usize,
  shares: usize,
  values: usize,
  count: usize,
  rows: usize,
  distance: usize,
  rowBytes: usize,
): void {
  const toStream = rows << 5;
  const end = shares + count * toStream;
  const toNext = distance - rows * rowBytes;
  for (let lane: usize = 0; lane < rowBytes; lane += 16) {
    readOn();
    let a0 = v128.load(sums);
    let a1 = v128.load(sums, 16);
    let b0 = v128.load(sums, 32);
    let b1 = v128.load(sums, 48);
    let c0 = v128.load(sums, 64);
    let c1 = v128.load(sums, 80);
    let d0 = v128.load(sums, 96);
    let d1 = v128.load(sums, 112);
    let value = values + lane;
    for (let share = shares; share < end; value += toNext) {
      for (const last = share + toStream; share < last; share += 32, value += rowBytes) {
        const p0 = v128.load(share);
        const p1 = v128.load(share, 16);
        let v = v128.load_splat<f32>(value);
        a0 = madd(v, p0, a0);
        a1 = madd(v, p1, a1);
        v = v128.load_splat<f32>(value, 4);
        b0 = madd(v, p0, b0);
        b1 = madd(v, p1, b1);
        v = v128.load_splat<f32>(value, 8);
        c0 = madd(v, p0, c0);
        c1 = madd(v, p1, c1);
        v = v128.load_splat<f32>(value, 12);
        d0 = madd(v, p0, d0);
        d1 = madd(v, p1, d1);
      }
    }
    storePair(sums, a0, a1);
    sums += 32;
    storePair(sums, b0, b1);
    sums += 32;
    storePair(sums, c0, c1);
    sums += 32;
    storePair(sums, d0, d1);
    sums += 32;
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
