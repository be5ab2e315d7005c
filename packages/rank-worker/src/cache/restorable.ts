import type { Graph } from "@ringrank/model";
import { names } from "../requests/interface-names.js";
import { ringRows } from "./rows.js";

/** What limits how much of another sequence can be restored. Plain data. */
export interface CacheLimits {
  /** The tokens after which the first cache with a window overwrites rows that have left it; Infinity if none does. */
  readonly rows: number;
  /** Whether there are states that each step replaces, of which only the last one exists. */
  readonly recurrent: boolean;
  /**
   * Whether rows depend on more than tokens, on a source or on the length of the prompt, so that equal tokens do not mean
   * equal rows.
   */
  readonly dependsOnMore: boolean;
}

type CachingGraph = Pick<Graph, "caches" | "recurrent"> & { readonly inputs?: readonly { name: string }[] };

export function cacheLimits({ caches, recurrent = [], inputs = [] }: CachingGraph): CacheLimits {
  const readsLengths = inputs.some(({ name }) => name === names.promptLengths);
  return {
    rows: Math.min(...caches.map(ringRows)),
    recurrent: recurrent.length > 0,
    dependsOnMore: readsLengths || caches.some(({ filledBy }) => filledBy !== undefined),
  };
}

/**
 * How many of the first `common` tokens can be restored from a sequence that has `length` tokens: all, or none if later
 * tokens have replaced anything.
 *
 * The next token may not need what was replaced, such as rows that have left its window. But what is restored is kept
 * later, and then cannot lack rows that its length says it has.
 */
export function restorableTokens(limits: CacheLimits, length: number, common: number): number {
  if (limits.dependsOnMore) return 0;
  if (common === length) return common;
  return limits.recurrent || length > limits.rows ? 0 : common;
}
