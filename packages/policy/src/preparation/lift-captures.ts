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
 * A graph in which an `If` has everything that its branches read as inputs, after the condition, so that every edge is
 * visible on the nodes. Weights of a branch then belong to the graph, and are read like any other weight.
 *
 * @param graph whose branches have distinct names, and do not output a weight directly: outputs of a branch must be
 * computed in it
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
