import { type Graph, keptStates } from "@ringrank/model";

/**
 * Outputs that the caller receives whole. The new rows of a cache, and new states, stay on the rank that keeps them.
 */
export function givenOutputs(graph: Graph): string[] {
  const kept = new Set(keptStates(graph).map(({ present }) => present));
  return graph.outputs.map(({ name }) => name).filter((name) => !kept.has(name));
}
