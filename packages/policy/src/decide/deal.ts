import type { Interval } from "@ringrank/model/weights";

/** One rank's part: an interval of units and, if ranks share a unit, an interval of its pieces. */
export interface Hand {
  readonly units: Interval;
  readonly within: Interval;
}

/**
 * Deals `units` to `ranks` near-evenly, earlier ranks first: 6 units on 4 ranks is 2, 2, 1, 1. If there are more ranks
 * than units, and a unit consists of `within` pieces, ranks are dealt to units instead, and the ranks of one unit share
 * its pieces: a rank has whole units or part of one, never parts of two. Whatever has no pieces (a key head) is then
 * held by every rank of its unit. A rank left with nothing has empty intervals; rank 0 never is.
 */
export function deal(units: number, within: number, ranks: number): Hand[] {
  if (ranks <= units || within <= 1) {
    return nearEven(units, ranks).map((interval) => ({ units: interval, within: [0, within] }));
  }
  return nearEven(ranks, units).flatMap(([from, to], unit) =>
    nearEven(within, to - from).map((interval): Hand => {
      const empty = interval[0] === interval[1];
      return { units: empty ? [unit, unit] : [unit, unit + 1], within: interval };
    }),
  );
}

/** `[0, size)` in `parts` consecutive intervals whose sizes differ by at most one, the larger first. */
export function nearEven(size: number, parts: number): Interval[] {
  const small = Math.floor(size / parts);
  const larger = size % parts;
  let start = 0;
  return Array.from({ length: parts }, (_, index): Interval => {
    const from = start;
    start += small + (index < larger ? 1 : 0);
    return [from, start];
  });
}
