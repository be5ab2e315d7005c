// Attention of one or two queries to a key head, with the scores of each one after the other.

import { addendAt, Arguments } from "./arguments";
import { oneRow, twoRows } from "../products/floats/float-rows";
import { shareEach } from "./shares";
import { madd, storePair, sumEach } from "../vectors";

/**
 * `scores[query][row] = query · key[row]`: queries are rows, and keys a matrix.
 *
 * @param scoreBytes from the scores of one query to those of the other
 * @param count of queries, one or two
 * @param streams eight, four, or one, of `each` keys
 */
export function scoreQueries(
  scores: usize,
  scoreBytes: usize,
  queries: usize,
  count: usize,
  keys: usize,
  streams: usize,
  each: usize,
  rowBytes: usize,
): void {
  const toNext = streams === 1 ? <usize>0 : each * rowBytes;
  const toScore = streams === 1 ? <usize>0 : each << 2;
  const lanes = rowBytes >> 2;
  if (count === 1) {
    oneRow(queries, streams, keys, toNext, 0, scores, toScore, each, lanes);
    return;
  }
  for (let stream: usize = 0; stream < streams; stream += 4) {
    const out = scores + stream * toScore;
    twoRows(queries, keys + stream * toNext, toNext, out, scoreBytes, toScore, each, lanes);
  }
}

/** Adds every addend's numbers for this sequence and head: of `seen` past keys from this one on, and of the new key. */
export function addToOne(
  scores: usize,
  from: usize,
  seen: usize,
  sequence: usize,
  head: usize,
  args: Arguments,
): void {
  const end = scores + (seen << 2);
  for (let which: usize = 0; which < args.addends; which++) {
    const addend = addendAt(args, which);
    const first = addend.at + sequence * addend.perSequence + head * addend.perHead;
    let number = first + (from << 2);
    let score = scores;
    for (; score + 16 <= end; score += 16, number += 16) {
      v128.store(score, f32x4.add(v128.load(score), v128.load(number)));
    }
    for (; score < end; score += 4, number += 4) store<f32>(score, load<f32>(score) + load<f32>(number));
    store<f32>(end, load<f32>(end) + load<f32>(first + (<usize>args.past << 2)));
  }
}

/**
 * In place; what pads the last vector becomes 0.
 *
 * @param room for four floats
 */
export function softmaxOne(scores: usize, count: usize, bytes: usize, room: usize): void {
  const end = scores + bytes;
  for (let at = scores + (count << 2); at < end; at += 4) store<f32>(at, -f32.MAX_VALUE);
  let most = v128.load(scores);
  for (let at = scores + 16; at < end; at += 16) most = f32x4.max(most, v128.load(at));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
  v128.store(room, most);
  let sum = shareEach(scores, end, room);
  // If nothing is visible, the padding is as large as any score, and must not count.
  for (let at = scores + (count << 2); at < end; at += 4) {
    sum = f32x4.sub(sum, f32x4.replace_lane(f32x4.splat(0), 0, load<f32>(at)));
    store<f32>(at, 0);
  }
  const total = f32x4.extract_lane(sumEach(sum, sum, sum, sum), 0);
  const inverse = f32x4.splat(1 / total);
  for (let at = scores; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), inverse));
}

/**
 * `out[query] += Σ_row share[query][row] · value[row]`.
 *
 * @param shareBytes from the shares of one query to those of the next
 * @param count of queries
 * @param streams eight, four, or one, of `each` values
 */
export function mixQueries(
  out: usize,
  shares: usize,
  shareBytes: usize,
  count: usize,
  values: usize,
  streams: usize,
  each: usize,
  rowBytes: usize,
): void {
  const toNext = each * rowBytes;
  const toShare = each << 2;
  for (const end = shares + toShare; shares < end; shares += 4, values += rowBytes) {
    let share = shares;
    let value = values;
    for (let stream: usize = 0; stream < streams; stream += 4, share += 4 * toShare, value += 4 * toNext) {
      for (let query: usize = 0; query < count; query++) {
        const sums = out + query * rowBytes;
        const ofQuery = share + query * shareBytes;
        if (streams === 1) mixRow(sums, ofQuery, value, rowBytes);
        else mixFourRows(sums, ofQuery, toShare, value, toNext, rowBytes);
      }
    }
  }
}

@inline
function mixRow(sums: usize, share: usize, value: usize, rowBytes: usize): void {
  const p = v128.load_splat<f32>(share);
  for (const end = value + rowBytes; value < end; value += 16, sums += 16) {
    v128.store(sums, madd(p, v128.load(value), v128.load(sums)));
  }
}

/** Of a row of each of four streams. */
@inline
function mixFourRows(
  sums: usize,
  share: usize,
  toShare: usize,
  value: usize,
  toNext: usize,
  rowBytes: usize,
): void {
  const a = v128.load_splat<f32>(share);
  const b = v128.load_splat<f32>(share + toShare);
  const c = v128.load_splat<f32>(share + 2 * toShare);
  const d = v128.load_splat<f32>(share + 3 * toShare);
  let second = value + toNext;
  let third = second + toNext;
  let fourth = third + toNext;
  const end = sums + rowBytes;
  for (; sums + 32 <= end; sums += 32, value += 32, second += 32, third += 32, fourth += 32) {
    const left = mixed(sums, value, second, third, fourth, a, b, c, d);
    const right = mixed(sums + 16, value + 16, second + 16, third + 16, fourth + 16, a, b, c, d);
    storePair(sums, left, right);
  }
  if (sums < end) v128.store(sums, mixed(sums, value, second, third, fourth, a, b, c, d));
}

/** Four lanes. */
@inline
function mixed(
  sums: usize,
  first: usize,
  second: usize,
  third: usize,
  fourth: usize,
  a: v128,
  b: v128,
  c: v128,
  d: v128,
): v128 {
  let sum = madd(a, v128.load(first), v128.load(sums));
  sum = madd(b, v128.load(second), sum);
  sum = madd(c, v128.load(third), sum);
  return madd(d, v128.load(fourth), sum);
}
