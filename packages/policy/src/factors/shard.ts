import type { Interval } from "@ringrank/model/weights";
import type { SizePair } from "../shapes/size-pair.js";
import { type Dim, type Factor, resolve, segmentsOf, sizeOf } from "./factor.js";

/**
 * One rank's share of each sharded leaf: a half-open interval of its units. Leaves that are not in the map are whole on
 * every rank.
 */
export type RankShare = ReadonlyMap<Factor, Interval>;

/** The size of a dimension on a rank. */
export function localSize(dim: Dim, share: RankShare): SizePair {
  let first = 1;
  let second = 1;
  for (const factor of resolve(dim)) {
    const size = localFactorSize(factor, share);
    first *= size[0];
    second *= size[1];
  }
  return [first, second];
}

function localFactorSize(factor: Factor, share: RankShare): SizePair {
  const parts = segmentsOf(factor);
  if (parts !== undefined) {
    let first = 0;
    let second = 0;
    for (const part of parts) {
      const size = localSize(part, share);
      first += size[0];
      second += size[1];
    }
    return [first, second];
  }
  const interval = share.get(factor);
  if (interval === undefined) return factor.size;
  const size = interval[1] - interval[0];
  return [size, size];
}

/** Whether `dim` contains a factor that `share` divides. */
export function isSharded(dim: Dim, share: RankShare): boolean {
  return resolve(dim).some((factor) => {
    const parts = segmentsOf(factor);
    return parts === undefined ? share.has(factor) : parts.some((part) => isSharded(part, share));
  });
}

/**
 * The indices of a static dimension that a rank has, as merged half-open intervals in increasing order. A major factor
 * gives one interval; a minor one gives strided intervals.
 */
export function localIntervals(dim: Dim, share: RankShare): Interval[] {
  let inner: Interval[] = [[0, 1]];
  let innerSize = 1;
  for (const factor of resolve(dim).reverse()) {
    const outer = factorIntervals(factor, share);
    const next: Interval[] = [];
    const innerFull = isFull(inner, innerSize);
    for (const [start, end] of outer) {
      if (innerFull) {
        pushMerged(next, [start * innerSize, end * innerSize]);
        continue;
      }
      for (let unit = start; unit < end; unit++) {
        for (const [from, to] of inner) pushMerged(next, [unit * innerSize + from, unit * innerSize + to]);
      }
    }
    inner = next;
    innerSize *= factor.size[0];
  }
  return inner;
}

function factorIntervals(factor: Factor, share: RankShare): Interval[] {
  const parts = segmentsOf(factor);
  if (parts === undefined) {
    const interval = share.get(factor);
    if (interval === undefined) return [[0, factor.size[0]]];
    return interval[1] > interval[0] ? [interval] : [];
  }
  const out: Interval[] = [];
  let offset = 0;
  for (const part of parts) {
    for (const [start, end] of localIntervals(part, share)) pushMerged(out, [offset + start, offset + end]);
    offset += sizeOf(part)[0];
  }
  return out;
}

function isFull(intervals: readonly Interval[], size: number): boolean {
  return intervals.length === 1 && intervals[0]![0] === 0 && intervals[0]![1] === size;
}

function pushMerged(intervals: Interval[], next: Interval): void {
  const last = intervals.at(-1);
  if (last !== undefined && last[1] === next[0]) intervals[intervals.length - 1] = [last[0], next[1]];
  else if (next[1] > next[0]) intervals.push(next);
}
