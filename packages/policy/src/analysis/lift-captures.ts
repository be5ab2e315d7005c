import {
  type Branch,
  type Graph,
  type GraphNode,
  isIf,
  mapBranches,
  readsOf,
  type Weight,
} from "@ringrank/model";

/**
 * A graph in which an `If` has all that its branches read as inputs of its own, after the condition, so that every edge
 * can be seen on its nodes. Weights of a branch are the graph's, then, and read as any other weight is.
 *
 * @param graph whose branches have names apart, and give no weight as it is: what a branch gives has to be made in it
 */
export function liftCaptures(graph: Graph): Graph {
  if (!graph.nodes.some(isIf)) return graph;
  const weights = new Map(graph.weights);
  const nodes = graph.nodes.map((node) => (isIf(node) ? withCaptures(withoutWeights(node, weights)) : node));
  return { ...graph, nodes, weights };
}

/** @param lifted takes the weights */
function withoutWeights(node: GraphNode, lifted: Map<string, Weight>): GraphNode {
  const branch = (given: Branch): Branch => {
    for (const [name, weight] of given.weights) lifted.set(name, weight);
    return { ...given, nodes: given.nodes.map((one) => withoutWeights(one, lifted)), weights: new Map() };
  };
  return { ...node, attributes: mapBranches(node, branch) };
}

function withCaptures(node: GraphNode): GraphNode {
  const captured = readsOf(node);
  captured.delete(node.inputs[0]!);
  return { ...node, inputs: [node.inputs[0]!, ...captured] };
}
