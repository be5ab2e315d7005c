// Shares of up to four queries' scores.

import { exponential, storePair } from "../vectors";

/**
 * In place: e to the power of what a score is above the largest, which is its share, not yet divided by the sum of all.
 *
 * @param most where the largest of each lane are: V8 computes two vectors as one from what it loads or computes, but
 * not from what it was given
 * @returns the sum of each lane
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
