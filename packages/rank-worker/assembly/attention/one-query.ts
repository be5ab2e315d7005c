// Attention of one query to a head of keys and values, its scores one after the other.

import { addendAt, Arguments } from "./arguments";
import { readAhead } from "../read-ahead";
import { exponential, madd, sumEach } from "../vectors";

/**
 * `out[row] = query · key[row]`.
 *
 * @param ahead as many bytes as the keys have, to be read next
 */
export function scoreOne(
  out: usize,
  query: usize,
  keys: usize,
  rows: usize,
  rowBytes: usize,
  ahead: usize,
): void {
  let row: usize = 0;
  for (; row + 4 <= rows; row += 4) {
    const first = keys + row * rowBytes;
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (let lane: usize = 0; lane < rowBytes; lane += 16, ahead += 64) {
      readAhead(ahead);
      const q = v128.load(query + lane);
      const k = first + lane;
      a = madd(q, v128.load(k), a);
      b = madd(q, v128.load(k + rowBytes), b);
      c = madd(q, v128.load(k + 2 * rowBytes), c);
      d = madd(q, v128.load(k + 3 * rowBytes), d);
    }
    v128.store(out + (row << 2), sumEach(a, b, c, d));
  }
  for (; row < rows; row++) {
    const key = keys + row * rowBytes;
    let a = f32x4.splat(0);
    for (let lane: usize = 0; lane < rowBytes; lane += 16) {
      a = madd(v128.load(query + lane), v128.load(key + lane), a);
    }
    store<f32>(out + (row << 2), f32x4.extract_lane(sumEach(a, a, a, a), 0));
  }
}

/** Adds every addend's row for this sequence and head. */
export function addToOne(scores: usize, sequence: usize, head: usize, args: Arguments): void {
  const keys = <usize>args.past + 1;
  for (let which: usize = 0; which < args.addends; which++) {
    const addend = addendAt(args, which);
    const from = addend.at + sequence * addend.perSequence + head * addend.perHead;
    let key: usize = 0;
    for (; key + 4 <= keys; key += 4) {
      const at = key << 2;
      v128.store(scores + at, f32x4.add(v128.load(scores + at), v128.load(from + at)));
    }
    for (; key < keys; key++) {
      const at = key << 2;
      store<f32>(scores + at, load<f32>(scores + at) + load<f32>(from + at));
    }
  }
}

/** In place; what pads the last vector becomes 0. */
export function softmaxOne(scores: usize, count: usize, bytes: usize): void {
  const end = scores + bytes;
  for (let at = scores + (count << 2); at < end; at += 4) store<f32>(at, -f32.MAX_VALUE);
  let most = v128.load(scores);
  for (let at = scores + 16; at < end; at += 16) most = f32x4.max(most, v128.load(at));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
  let sum = f32x4.splat(0);
  for (let at = scores; at < end; at += 16) {
    const share = exponential(f32x4.sub(v128.load(at), most));
    v128.store(at, share);
    sum = f32x4.add(sum, share);
  }
  // Where nothing is seen, the padding is as large as any score, and must not count.
  for (let at = scores + (count << 2); at < end; at += 4) {
    sum = f32x4.sub(sum, f32x4.replace_lane(f32x4.splat(0), 0, load<f32>(at)));
    store<f32>(at, 0);
  }
  const total = f32x4.extract_lane(sumEach(sum, sum, sum, sum), 0);
  const inverse = f32x4.splat(1 / total);
  for (let at = scores; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), inverse));
}

/**
 * `out += Σ_row share[row] · value[row]`.
 *
 * @param ahead as many bytes as the values have, to be read next
 */
export function mixOne(
  out: usize,
  share: usize,
  values: usize,
  rows: usize,
  rowBytes: usize,
  ahead: usize,
): void {
  const end = rows << 2;
  let lane: usize = 0;
  for (; lane + 64 <= rowBytes; lane += 64) {
    const at = out + lane;
    let a = v128.load(at);
    let b = v128.load(at, 16);
    let c = v128.load(at, 32);
    let d = v128.load(at, 48);
    let value = values + lane;
    for (let row: usize = 0; row < end; row += 4, value += rowBytes, ahead += 64) {
      readAhead(ahead);
      const p = v128.load_splat<f32>(share + row);
      a = madd(p, v128.load(value), a);
      b = madd(p, v128.load(value, 16), b);
      c = madd(p, v128.load(value, 32), c);
      d = madd(p, v128.load(value, 48), d);
    }
    v128.store(at, a);
    v128.store(at, b, 16);
    v128.store(at, c, 32);
    v128.store(at, d, 48);
  }
  for (; lane < rowBytes; lane += 16) {
    let a = v128.load(out + lane);
    let value = values + lane;
    for (let row: usize = 0; row < end; row += 4, value += rowBytes) {
      a = madd(v128.load_splat<f32>(share + row), v128.load(value), a);
    }
    v128.store(out + lane, a);
  }
}
