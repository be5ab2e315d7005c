import { type Graph, type GraphNode, isIf, readsOf, takeBranch, type Weight } from "@ringrank/model";
import { isStatic, type SizePair } from "../factors/factor.js";

/** Contents of small values, at two settings of the symbolic dimensions. */
type Contents = (value: string) => readonly SizePair[] | undefined;

/**
 * A graph in which every `If` whose condition is the same at both settings is the branch it takes. One whose
 * condition is data stays, and reads what its branches capture as inputs of its own, after the condition, so that
 * every edge of the graph can be seen on its nodes.
 */
export function inlineBranches(graph: Graph, contents: Contents): Graph {
  if (!graph.nodes.some(isIf)) return graph;
  const weights = new Map<string, Weight>(graph.weights);
  return { ...graph, nodes: inlineNodes(graph.nodes, weights, contents), weights };
}

function inlineNodes(
  nodes: readonly GraphNode[],
  weights: Map<string, Weight>,
  contents: Contents,
): GraphNode[] {
  return nodes.flatMap((node) => {
    if (!isIf(node)) return [node];
    const condition = contents(node.inputs[0]!)?.[0];
    if (condition === undefined || !isStatic(condition)) return [withCaptures(node)];
    const taken = takeBranch(node, condition[0] !== 0 ? "then_branch" : "else_branch");
    // Shapes have been evaluated, which refuses an `If` without its branches.
    if (taken === undefined) throw new TypeError("an If without its branches");
    for (const [name, weight] of taken.weights) weights.set(name, weight);
    return inlineNodes(taken.nodes, weights, contents);
  });
}

function withCaptures(node: GraphNode): GraphNode {
  const captured = readsOf(node);
  captured.delete(node.inputs[0]!);
  return { ...node, inputs: [node.inputs[0]!, ...captured] };
}
