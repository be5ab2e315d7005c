import type { Branch, GraphNode } from "./graph.js";

/**
 * The names of the values that a node reads: its inputs, and the outer values that graphs among its attributes (the
 * branches of an `If`) read.
 */
export function readsOf(node: GraphNode): Set<string> {
  const reads = new Set(node.inputs.filter((name) => name !== ""));
  for (const attribute of Object.values(node.attributes)) {
    if (attribute.kind !== "graph") continue;
    for (const name of freeValues(attribute.value)) reads.add(name);
  }
  return reads;
}

function freeValues(graph: Branch): Set<string> {
  const defined = definedOutside(graph);
  const free = new Set<string>();
  for (const node of graph.nodes) {
    for (const name of readsOf(node)) if (!defined.has(name)) free.add(name);
    for (const name of node.outputs) defined.add(name);
  }
  for (const { name } of graph.outputs) if (!defined.has(name)) free.add(name);
  return free;
}

/** Names that are defined before any node has run. */
export function definedOutside(graph: Branch): Set<string> {
  return new Set([...graph.inputs.map(({ name }) => name), ...graph.weights.keys()]);
}
