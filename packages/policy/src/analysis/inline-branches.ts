import {
  type Attribute,
  type Branch,
  type Graph,
  type GraphNode,
  readsOf,
  type Weight,
} from "@ringrank/model";
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
    const taken = branch(node, condition[0] !== 0 ? "then_branch" : "else_branch");
    for (const [name, weight] of taken.weights) weights.set(name, weight);
    const results = taken.outputs.flatMap(({ name }, index): GraphNode[] => {
      const output = node.outputs[index];
      if (output === undefined || output === "") return [];
      return [{ opType: "Identity", domain: "", inputs: [name], outputs: [output], attributes: {} }];
    });
    return [...inlineNodes(taken.nodes, weights, contents), ...results];
  });
}

function withCaptures(node: GraphNode): GraphNode {
  const captured = readsOf(node);
  captured.delete(node.inputs[0]!);
  return { ...node, inputs: [node.inputs[0]!, ...captured] };
}

function branch({ attributes }: GraphNode, name: string): Branch {
  const found: Attribute | undefined = attributes[name];
  // Shapes have been evaluated, which refuses an `If` without its branches.
  if (found?.kind !== "graph") throw new TypeError(`an If without its ${name}`);
  return found.value;
}

function isIf({ opType, domain }: GraphNode): boolean {
  return opType === "If" && domain === "";
}
