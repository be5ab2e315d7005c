import type { Graph, GraphNode } from "./graph.js";
import { readsOf } from "./reads-of.js";

/** A graph in topological order without the nodes and constants that no output needs. */
export function withoutUnread(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    nodes.push(node);
    for (const name of readsOf(node)) needed.add(name);
  }
  const weights = new Map([...graph.weights].filter(([name]) => needed.has(name)));
  return { ...graph, nodes: nodes.reverse(), weights };
}
