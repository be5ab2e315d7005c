import { type Graph, type GraphNode, isIf } from "@ringrank/model";

/**
 * A graph in which nodes read a weight itself, not an `Identity` of it. Exporters write an `Identity` for each further
 * use of a shared weight, and a use can only have its own factors if it is recognised as one.
 */
export function readWeightsThemselves(graph: Graph): Graph {
  const kept = new Set(graph.outputs.map(({ name }) => name));
  // A branch reads captured values by name.
  for (const { inputs } of graph.nodes.filter(isIf)) for (const name of inputs) kept.add(name);
  const weightOf = new Map<string, string>();
  const nodes = graph.nodes.filter(({ opType, domain, inputs, outputs }) => {
    const source = weightOf.get(inputs[0]!) ?? inputs[0]!;
    if (opType !== "Identity" || domain !== "" || !graph.weights.has(source)) return true;
    weightOf.set(outputs[0]!, source);
    return kept.has(outputs[0]!);
  });
  if (weightOf.size === 0) return graph;
  const read = (node: GraphNode): GraphNode =>
    isIf(node) ? node : { ...node, inputs: node.inputs.map((name) => weightOf.get(name) ?? name) };
  return { ...graph, nodes: nodes.map(read) };
}
