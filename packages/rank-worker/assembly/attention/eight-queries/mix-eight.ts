// Values are added to sums in the L1 cache, all lanes of several rows before the next. Engines with 256 bits have
// registers for four rows at a time, others for two.

import { madd } from "../../vectors";
import { firstTwice, lastTwice, streams } from "./layout";

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

/** Not two calls of `storePair`: see docs/design/wide-vectors.md. */
@inline
function storeFour(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(out, d, 48);
  v128.store(out, c, 32);
  v128.store(out, b, 16);
  v128.store(out, a);
}
