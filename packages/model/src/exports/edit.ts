import { checkGraph } from "../graph/check-graph.js";
import type { Branch, Graph, GraphNode } from "../graph/graph.js";
import { mapBranches } from "../graph/map-branches.js";
import { reorderNodes } from "../graph/reorder-nodes.js";
import { withoutUnread } from "../graph/without-unread.js";

/** The nodes with the values that they read replaced by name, including in branches. */
export function redirect(nodes: readonly GraphNode[], to: ReadonlyMap<string, string>): GraphNode[] {
  const read = (name: string): string => to.get(name) ?? name;
  const branch = (graph: Branch): Branch => ({
    ...graph,
    nodes: redirect(graph.nodes, to),
    outputs: graph.outputs.map(({ name }) => ({ name: read(name) })),
  });
  return nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(read),
    attributes: mapBranches(node, branch),
  }));
}

/**
 * A graph together with a graph that was built to be part of it, with nodes in topological order, and without nodes and
 * constants that no output needs. All inputs stay.
 *
 * @throws RR_GRAPH if the two do not fit together
 */
export function extended(graph: Graph, built: Graph): Graph {
  const whole = reorderNodes(
    {
      ...graph,
      opsets: { ...built.opsets, ...graph.opsets },
      inputs: [...graph.inputs, ...built.inputs],
      outputs: [...graph.outputs, ...built.outputs],
      nodes: [...graph.nodes, ...built.nodes],
      weights: new Map([...graph.weights, ...built.weights]),
      caches: [...graph.caches, ...built.caches],
    },
    () => 0,
  );
  const pruned = withoutUnread(whole);
  checkGraph(pruned);
  return pruned;
}
