// The exchange between two ranks in a short all-reduce: src/algorithms/swap.ts explains it. Positions and lengths are
// as in kernels.ts.

import { copyLines } from "./lines";

/**
 * Copies `length` elements from index `own` on into the slot, and this rank's call into its header, and publishes both
 * by storing `round` in the word `published`. Checks `looks` times, at least once, whether the other rank has come as
 * far; returns whether it has, and its call is the same.
 */
export function offer(
  slot: usize,
  own: usize,
  length: usize,
  header: usize,
  published: usize,
  otherHeader: usize,
  otherPublished: usize,
  signature: i32,
  round: i32,
  looks: i32,
): bool {
  copyLines(slot << 2, own << 2, length << 2);
  store<i32>(header << 2, signature);
  store<i32>(header << 2, <i32>length, 4);
  atomic.store<i32>(published << 2, round);
  while (atomic.load<i32>(otherPublished << 2) - round < 0) if (--looks <= 0) return false;
  return load<i32>(otherHeader << 2) == signature && load<i32>(otherHeader << 2, 4) == <i32>length;
}
