import { type Branch, type GraphNode, mapBranches } from "@ringrank/model";
import type { Localization, Operator, Rule, Rules } from "../rule.js";
import { wholeEverything } from "../whole.js";

/**
 * An `If` whose condition is data: both branches run on whole tensors. The values that they capture have been made
 * inputs, after the condition. In ONNX, branches refer to them by name only, so they get the names on the rank.
 */
const conditional: Rule = {
  propagate: (operator, factors) =>
    wholeEverything(operator, factors, "read by a branch that is taken or not when running"),
  localize: (operator, local) => [localNode(operator, local)],
};

function localNode({ node }: Operator, local: Localization): GraphNode {
  const names = new Map(node.inputs.map((name, slot) => [name, local.input(slot)]));
  return {
    ...captureAs(node, names),
    inputs: [local.input(0)],
    outputs: node.outputs.map((_, slot) => local.output(slot)),
  };
}

/** A node that reads values under other names; a name that a branch defines itself hides the one outside. */
function captureAs(node: GraphNode, names: ReadonlyMap<string, string>): GraphNode {
  return {
    ...node,
    inputs: node.inputs.map((name) => names.get(name) ?? name),
    attributes: mapBranches(node, (branch) => captureInGraph(branch, names)),
  };
}

function captureInGraph(graph: Branch, names: ReadonlyMap<string, string>): Branch {
  const free = new Map(names);
  for (const name of graph.weights.keys()) free.delete(name);
  const nodes = graph.nodes.map((node) => {
    const renamed = captureAs(node, free);
    for (const name of node.outputs) free.delete(name);
    return renamed;
  });
  const outputs = graph.outputs.map((output) => ({ ...output, name: free.get(output.name) ?? output.name }));
  return { ...graph, nodes, outputs };
}

export const branchRules: Rules = { If: conditional };
