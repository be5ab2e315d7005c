import { type GraphNode, readsOf } from "@ringrank/model";

/** Names of what nodes read and do not compute themselves. */
export function readsOfAll(nodes: readonly GraphNode[]): Set<string> {
  const read = new Set(nodes.flatMap((node) => [...readsOf(node)]));
  for (const { outputs } of nodes) for (const name of outputs) read.delete(name);
  return read;
}
