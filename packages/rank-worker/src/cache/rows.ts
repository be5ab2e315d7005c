import type { Cache } from "@ringrank/model";

/**
 * Capacity grows by this many rows. Growth copies the whole cache, which happens once per block, and computation covers
 * at most one block minus one of masked rows.
 */
export const blockRows = 64;

/**
 * The number of rows after which a slot of this cache wraps around; Infinity if no rows are dropped. A query sees
 * itself and the `window − 1` positions before it. An exact cache is fed all rows that a sequence has had, so none may
 * be dropped.
 */
export function ringRows({ window, exact = false }: Pick<Cache, "window" | "exact">): number {
  if (window === undefined || exact) return Number.POSITIVE_INFINITY;
  return roundUp(Math.max(1, window - 1), blockRows);
}

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
