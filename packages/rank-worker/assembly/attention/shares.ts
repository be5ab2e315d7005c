// Shares of up to four queries' scores.

import { exponential, storePair } from "../vectors";

/**
 * Turns scores into shares that are not yet divided by their sum, exp(score − largest), in place.
 *
 * @param most address of the largest score of each lane, since V8 does not pair vectors that are parameters
 * @returns the sum of each lane's shares
 */
export function shareEach(scores: usize, end: usize, most: usize): v128 {
  const m = v128.load(most);
  let sum = f32x4.splat(0);
  for (; scores + 32 <= end; scores += 32) {
    const first = exponential(f32x4.sub(v128.load(scores), m));
    const second = exponential(f32x4.sub(v128.load(scores, 16), m));
    storePair(scores, first, second);
    sum = f32x4.add(f32x4.add(sum, first), second);
  }
  if (scores === end) return sum;
  const last = exponential(f32x4.sub(v128.load(scores), m));
  v128.store(scores, last);
  return f32x4.add(sum, last);
}
