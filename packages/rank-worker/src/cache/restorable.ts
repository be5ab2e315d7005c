import type { Graph } from "@ringrank/model";
import { ringRows } from "./rows.js";

/** What limits how much of a kept sequence can be restored. Plain data. */
export interface CacheLimits {
  /** The tokens after which the first cache with a window overwrites rows that have left it; Infinity if none does. */
  readonly rows: number;
  /** Whether there are states that each step replaces, of which only the last one exists. */
  readonly recurrent: boolean;
  /** Whether there are caches that depend on a source, too, so that equal tokens do not mean equal rows. */
  readonly source: boolean;
}

export function cacheLimits({ caches, recurrent = [] }: Pick<Graph, "caches" | "recurrent">): CacheLimits {
  return {
    rows: Math.min(...caches.map(ringRows)),
    recurrent: recurrent.length > 0,
    source: caches.some(({ filledBy }) => filledBy !== undefined),
  };
}

/**
 * How many of the first `common` tokens can be restored from a sequence that was kept with `length` tokens: all, or none
 * if later tokens have replaced anything.
 *
 * The next token may not need what was replaced, such as rows that have left its window. But what is restored is kept
 * later, and then cannot lack rows that its length says it has.
 */
export function restorableTokens(limits: CacheLimits, length: number, common: number): number {
  if (limits.source) return 0;
  if (common === length) return common;
  return limits.recurrent || length > limits.rows ? 0 : common;
}
