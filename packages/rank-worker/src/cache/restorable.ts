import type { Graph } from "@ringrank/model";
import { ringRows } from "./rows.js";

/** What limits how much of a kept sequence can be restored. Plain data. */
export interface CacheLimits {
  /** The windows of caches that overwrite rows which have left the window. */
  readonly windows: readonly number[];
  /** Whether there are states that each step replaces, of which only the last one exists. */
  readonly recurrent: boolean;
  /** Whether there are caches that depend on a source, too, so that equal tokens do not mean equal rows. */
  readonly source: boolean;
}

export function cacheLimits({ caches, recurrent = [] }: Pick<Graph, "caches" | "recurrent">): CacheLimits {
  return {
    windows: caches.flatMap((cache) => (Number.isFinite(ringRows(cache)) ? [cache.window!] : [])),
    recurrent: recurrent.length > 0,
    source: caches.some(({ filledBy }) => filledBy !== undefined),
  };
}

/**
 * How many of the first `common` tokens can be restored from a sequence that was kept with `length` tokens: all, or none
 * if later tokens have replaced anything that the next one needs.
 */
export function restorableTokens(limits: CacheLimits, length: number, common: number): number {
  if (limits.source) return 0;
  if (common === length) return common;
  if (limits.recurrent) return 0;
  // The next token sees the `window − 1` positions before it; the rows of the latest positions are there.
  const isWhole = limits.windows.every(
    (window) => Math.max(0, common - (window - 1)) >= length - ringRows({ window }),
  );
  return isWhole ? common : 0;
}
