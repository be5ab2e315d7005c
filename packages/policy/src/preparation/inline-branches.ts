import { type Graph, type GraphNode, isIf, takeBranch, type Weight } from "@ringrank/model";
import { isStatic, type SizePair } from "../shapes/size-pair.js";

/**
 * A graph in which every `If` whose condition is the same in every call is replaced by the branch that it takes. An
 * `If` whose condition is data, or depends on a size that differs between calls, stays.
 */
export function inlineBranches(
  graph: Graph,
  contents: (value: string) => readonly SizePair[] | undefined,
): Graph {
  if (!graph.nodes.some(isIf)) return graph;
  const weights = new Map<string, Weight>(graph.weights);
  const inline = (node: GraphNode): GraphNode[] => {
    if (!isIf(node)) return [node];
    const [condition] = node.inputs as [string];
    const decided = contents(condition)?.[0];
    if (decided === undefined || !isStatic(decided)) return [node];
    const taken = takeBranch(node, decided[0] !== 0 ? "then_branch" : "else_branch");
    // Evaluating shapes has already refused an `If` without its branches.
    if (taken === undefined) throw new TypeError("an If without its branches");
    for (const [name, weight] of taken.weights) weights.set(name, weight);
    return taken.nodes.flatMap(inline);
  };
  return { ...graph, nodes: graph.nodes.flatMap(inline), weights };
}
