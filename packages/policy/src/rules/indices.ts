import { isStatic, type SizePair } from "../factors/factor.js";

/** Consecutive ascending indices. */
export interface IndexRun {
  /** Counted from the front. */
  readonly start: number;
  readonly length: number;
}

/**
 * Indices into an axis of `size` as one run; undefined where they are known only when running, or skip.
 *
 * @param contents negative ones count from the end
 */
export function consecutive(contents: readonly SizePair[] | undefined, size: SizePair): IndexRun | undefined {
  if (contents === undefined || contents.length === 0 || !isStatic(size) || !contents.every(isStatic))
    return undefined;
  const values = contents.map(([value]) => (value < 0 ? value + size[0] : value));
  const start = values[0]!;
  if (!values.every((value, index) => value === start + index)) return undefined;
  return { start, length: values.length };
}

/** The indices from `start` on. */
export function indicesFrom(start: number, length: number): number[] {
  return Array.from({ length }, (_, index) => start + index);
}
