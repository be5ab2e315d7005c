// Scores have eight sums in registers: an addition takes four cycles, and two can begin in each. An iteration adds once
// to each sum, since V8 would put several additions to one sum next to each other, and would then have to move sums out
// of registers. Engines with 256 bits have registers for four rows at a time, others for two.

import { madd, storePair } from "../../vectors";
import { streams } from "./layout";

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

/** Sums of both lanes of four queries, of which two each are in a vector. */
@inline
function sumPairs(a: v128, b: v128): v128 {
  return f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
}
