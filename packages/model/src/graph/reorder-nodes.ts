import { RingrankError } from "@ringrank/errors";
import type { Graph, GraphNode } from "./graph.js";
import { definedOutside, readsOf } from "./reads-of.js";

/**
 * The same graph with its nodes in another topological order: of all nodes that may come next, `choose` picks one by
 * index. With `() => 0` it sorts a graph whose nodes are in any order.
 *
 * @throws RR_GRAPH if there is a cycle, or a node reads a value that nothing defines
 */
export function reorderNodes(graph: Graph, choose: (candidates: number) => number): Graph {
  const { nodes } = graph;
  const readers = new Map<string, number[]>();
  const missing = nodes.map(() => 0);
  const defined = definedOutside(graph);
  nodes.forEach((node, index) => {
    for (const name of readsOf(node)) {
      if (defined.has(name)) continue;
      missing[index]!++;
      const list = readers.get(name);
      if (list === undefined) readers.set(name, [index]);
      else list.push(index);
    }
  });
  const ready = nodes.flatMap((_, index) => (missing[index] === 0 ? [index] : []));
  const ordered: GraphNode[] = [];
  // The start of `ready` is already in order. A chosen node is swapped with the first of the rest, since removing it
  // would shift all later ones.
  while (ordered.length < ready.length) {
    const first = ordered.length;
    const chosen = first + choose(ready.length - first);
    const next = ready[chosen]!;
    ready[chosen] = ready[first]!;
    ready[first] = next;
    const node = nodes[next]!;
    ordered.push(node);
    for (const reader of node.outputs.flatMap((name) => readers.get(name) ?? [])) {
      if (--missing[reader]! === 0) ready.push(reader);
    }
  }
  if (ordered.length < nodes.length) {
    const stuck = nodes.find((_, index) => missing[index]! > 0);
    throw new RingrankError(
      "RR_GRAPH",
      `${nodes.length - ordered.length} nodes depend on each other or on a value that nothing defines, ` +
        `such as ${stuck?.opType}`,
    );
  }
  return { ...graph, nodes: ordered };
}
