import type { CacheState, Graph, RecurrentState } from "./graph.js";

/** All states that are kept between steps: the rows of caches, and the states that every step replaces. */
export function keptStates({
  caches,
  recurrent = [],
}: Pick<Graph, "caches" | "recurrent">): readonly (CacheState | RecurrentState)[] {
  return [...caches.flatMap(({ states }) => states), ...recurrent];
}
