// Attention of four queries to one head of keys and values. What is of the four lies side by side, so that a vector has
// one number of each, and every row of keys and values is used four times for being loaded once:
//
//   packed   [lanes / 4][query][4]     queries
//   scores   [row][query]              then shares
//   sums     [query][lanes]

import { addendAt, Arguments } from "./arguments";
import { readAhead } from "../read-ahead";
import { exponential, madd, sumEach } from "../vectors";

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
 * `scores[row][query] = query · key[row]`. Of two rows at a time: eight sums grow side by side, for an addition takes
 * some cycles and two can begin in each.
 *
 * @param ahead as many bytes as the keys have, to be read next
 */
export function scoreFour(
  scores: usize,
  packed: usize,
  keys: usize,
  rows: usize,
  rowBytes: usize,
  ahead: usize,
): void {
  let row: usize = 0;
  for (; row + 2 <= rows; row += 2, keys += 2 * rowBytes, scores += 32) {
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
    let next = keys + rowBytes;
    for (const end = next; key < end; key += 16, next += 16, query += 64, ahead += 32) {
      readAhead(ahead);
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
    v128.store(scores, sumEach(a1, b1, c1, d1), 16);
  }
  if (row === rows) return;
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

/** Adds every addend's row for this sequence and the four heads from `head` on, or for the last of them. */
export function addToFour(scores: usize, sequence: usize, head: usize, last: usize, args: Arguments): void {
  const end = scores + ((<usize>args.past + 1) << 4);
  for (let which: usize = 0; which < args.addends; which++) {
    const addend = addendAt(args, which);
    const ofSequence = addend.at + sequence * addend.perSequence;
    let a = ofSequence + head * addend.perHead;
    if (addend.perHead === 0) {
      for (let at = scores; at < end; at += 16, a += 4) {
        v128.store(at, f32x4.add(v128.load(at), v128.load_splat<f32>(a)));
      }
      continue;
    }
    let b = ofSequence + min(head + 1, last) * addend.perHead;
    let c = ofSequence + min(head + 2, last) * addend.perHead;
    let d = ofSequence + min(head + 3, last) * addend.perHead;
    for (let at = scores; at < end; at += 16, a += 4, b += 4, c += 4, d += 4) {
      let sum = v128.load_zero<f32>(a);
      sum = v128.load_lane<f32>(b, sum, 1);
      sum = v128.load_lane<f32>(c, sum, 2);
      sum = v128.load_lane<f32>(d, sum, 3);
      v128.store(at, f32x4.add(v128.load(at), sum));
    }
  }
}

/** In place, shares that are not yet divided by their sum. @returns one divided by that */
export function softmaxFour(scores: usize, count: usize): v128 {
  const end = scores + (count << 4);
  let most = v128.load(scores);
  for (let at = scores + 16; at < end; at += 16) most = f32x4.pmax(most, v128.load(at));
  let sum = f32x4.splat(0);
  for (let at = scores; at < end; at += 16) {
    const share = exponential(f32x4.sub(v128.load(at), most));
    v128.store(at, share);
    sum = f32x4.add(sum, share);
  }
  return f32x4.div(f32x4.splat(1), sum);
}

/**
 * `sums[query] += Σ_row share[row][query] · value[row]`.
 *
 * @param ahead as many bytes as the values have, to be read next
 */
export function mixFour(
  sums: usize,
  shares: usize,
  values: usize,
  rows: usize,
  rowBytes: usize,
  ahead: usize,
): void {
  const end = shares + (rows << 4);
  let lane: usize = 0;
  for (; lane + 32 <= rowBytes; lane += 32) {
    let at = sums + lane;
    let a0 = v128.load(at);
    let a1 = v128.load(at, 16);
    at += rowBytes;
    let b0 = v128.load(at);
    let b1 = v128.load(at, 16);
    at += rowBytes;
    let c0 = v128.load(at);
    let c1 = v128.load(at, 16);
    at += rowBytes;
    let d0 = v128.load(at);
    let d1 = v128.load(at, 16);
    let value = values + lane;
    for (let share = shares; share < end; share += 16, value += rowBytes, ahead += 32) {
      readAhead(ahead);
      const v0 = v128.load(value);
      const v1 = v128.load(value, 16);
      let p = v128.load_splat<f32>(share);
      a0 = madd(p, v0, a0);
      a1 = madd(p, v1, a1);
      p = v128.load_splat<f32>(share, 4);
      b0 = madd(p, v0, b0);
      b1 = madd(p, v1, b1);
      p = v128.load_splat<f32>(share, 8);
      c0 = madd(p, v0, c0);
      c1 = madd(p, v1, c1);
      p = v128.load_splat<f32>(share, 12);
      d0 = madd(p, v0, d0);
      d1 = madd(p, v1, d1);
    }
    v128.store(at, d0);
    v128.store(at, d1, 16);
    at -= rowBytes;
    v128.store(at, c0);
    v128.store(at, c1, 16);
    at -= rowBytes;
    v128.store(at, b0);
    v128.store(at, b1, 16);
    at -= rowBytes;
    v128.store(at, a0);
    v128.store(at, a1, 16);
  }
  for (; lane < rowBytes; lane += 16) {
    let at = sums + lane;
    let a = v128.load(at);
    let b = v128.load(at + rowBytes);
    let c = v128.load(at + 2 * rowBytes);
    let d = v128.load(at + 3 * rowBytes);
    let value = values + lane;
    for (let share = shares; share < end; share += 16, value += rowBytes) {
      const v = v128.load(value);
      a = madd(v128.load_splat<f32>(share), v, a);
      b = madd(v128.load_splat<f32>(share, 4), v, b);
      c = madd(v128.load_splat<f32>(share, 8), v, c);
      d = madd(v128.load_splat<f32>(share, 12), v, d);
    }
    v128.store(at, a);
    v128.store(at + rowBytes, b);
    v128.store(at + 2 * rowBytes, c);
    v128.store(at + 3 * rowBytes, d);
  }
}

/** `out = sum · factor`, lane by lane of one query. */
export function scaled(out: usize, sum: usize, factor: f32, rowBytes: usize): void {
  const factors = f32x4.splat(factor);
  for (let lane: usize = 0; lane < rowBytes; lane += 16) {
    v128.store(out + lane, f32x4.mul(v128.load(sum + lane), factors));
  }
}
