// The online softmax of eight queries (https://arxiv.org/abs/1805.02867).

import { exponential, storePair } from "../../vectors";
import { firstTwice, lastTwice } from "./layout";

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
