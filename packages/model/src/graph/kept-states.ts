import type { CacheState, Graph, RecurrentState } from "./graph.js";

/** All that is kept from step to step: what caches keep row by row, and what every step replaces. */
export function keptStates({
  caches,
  recurrent = [],
}: Pick<Graph, "caches" | "recurrent">): readonly (CacheState | RecurrentState)[] {
  return [...caches.flatMap(({ states }) => states), ...recurrent];
}
