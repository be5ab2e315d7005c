import type { Graph } from "@ringrank/model";

/** Outputs that the caller is given whole. New rows of a cache stay on the rank that keeps them. */
export function givenOutputs({ outputs, caches }: Graph): string[] {
  const kept = new Set(caches.flatMap(({ states }) => states.map(({ present }) => present)));
  return outputs.map(({ name }) => name).filter((name) => !kept.has(name));
}
