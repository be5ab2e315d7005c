import { checkGraph } from "../graph/check-graph.js";
import type { Branch, Graph, GraphNode } from "../graph/graph.js";
import { mapBranches } from "../graph/map-branches.js";
import { reorderNodes } from "../graph/reorder-nodes.js";
import { withoutUnread } from "../graph/without-unread.js";

/** By value: the node that computes it. */
export function producersOf(nodes: readonly GraphNode[]): Map<string, GraphNode> {
  return new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
}

/** The value that `name` is an alias of, through nodes that change nothing. */
export function originOf(name: string, producers: ReadonlyMap<string, GraphNode>): string {
  let origin = name;
  for (let node = producers.get(origin); node && isSame(node); node = producers.get(origin)) {
    origin = node.inputs[0]!;
  }
  return origin;
}

/** TorchScript leaves a Concat with one input if a cache of transformers, which starts empty, is given a past. */
function isSame({ opType, inputs }: GraphNode): boolean {
  return opType === "Identity" || (opType === "Concat" && inputs.length === 1);
}

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

/** The elements of a constant that is stored in the graph; undefined if there is none with that name. */
export function constantOf(
  name: string,
  graph: Graph,
  producers: ReadonlyMap<string, GraphNode>,
): readonly number[] | undefined {
  const source = graph.weights.get(name)?.source;
  if (source?.kind === "inline") return Array.from(source.data, Number);
  const { value, value_int, value_ints } = producers.get(name)?.attributes ?? {};
  if (value?.kind === "tensor") return Array.from(value.value.data, Number);
  if (value_int?.kind === "int") return [value_int.value];
  return value_ints?.kind === "ints" ? value_ints.value : undefined;
}
