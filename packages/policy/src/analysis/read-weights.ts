import type { Graph, GraphNode } from "@ringrank/model";

/**
 * A graph in which nodes read a weight itself, not an `Identity` of it: exporters write one for each further use of a
 * shared weight, and every use has its own factors only where it can be seen to be one.
 */
export function readWeightsThemselves(graph: Graph): Graph {
  const kept = new Set(graph.outputs.map(({ name }) => name));
  // What a branch captures, it reads by name.
  for (const node of graph.nodes) if (node.opType === "If") for (const name of node.inputs) kept.add(name);
  const weightOf = new Map<string, string>();
  const isAlias = ({ opType, domain, inputs, outputs }: GraphNode): boolean => {
    const source = weightOf.get(inputs[0]!) ?? inputs[0]!;
    if (opType !== "Identity" || domain !== "" || !graph.weights.has(source) || kept.has(outputs[0]!))
      return false;
    weightOf.set(outputs[0]!, source);
    return true;
  };
  const nodes = graph.nodes.filter((node) => !isAlias(node));
  if (weightOf.size === 0) return graph;
  const read = (name: string): string => weightOf.get(name) ?? name;
  return { ...graph, nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map(read) })) };
}
