// The first half of a short all-reduce: src/algorithms/one-shot.ts and swap.ts explain it. Positions and lengths are as
// in kernels.ts.

import { copyLines, moveLines } from "./lines";

/**
 * Copies `length` elements from index `own` to index `to`, and this rank's call into its header, and publishes both by
 * storing `round` in its `published` word. Checks `looks` times, at least once, whether all other ranks have come as
 * far; returns whether they have, and their calls are the same. In a world of two, `to` is mostly a slot, whose lines
 * this core has already (swap.ts).
 *
 * @param published index of rank 0's word
 * @param header from a rank's word `published` to its header
 * @param line from a rank's word `published` to that of the next rank
 */
export function offer(
  to: usize,
  own: usize,
  length: usize,
  published: usize,
  header: usize,
  line: usize,
  rank: usize,
  worldSize: usize,
  signature: i32,
  round: i32,
  looks: i32,
): bool {
  if (worldSize > 2) moveLines(to << 2, own << 2, length << 2);
  else copyLines(to << 2, own << 2, length << 2);
  const first = published << 2;
  const last = first + (worldSize - 1) * (line << 2);
  const mine = first + rank * (line << 2);
  store<i32>(mine + (header << 2), signature);
  store<i32>(mine + (header << 2), <i32>length, 4);
  atomic.store<i32>(mine, round);
  for (let at = first; at <= last; at += line << 2) {
    while (atomic.load<i32>(at) - round < 0) if (--looks <= 0) return false;
  }
  for (let at = first + (header << 2); at <= last + (header << 2); at += line << 2) {
    if (load<i32>(at) != signature || load<i32>(at, 4) != <i32>length) return false;
  }
  return true;
}
