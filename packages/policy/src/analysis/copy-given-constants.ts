import { type Branch, type Graph, type GraphNode, isIf, type Weight } from "@ringrank/model";
import { FreshNames } from "../fresh-names.js";

/**
 * A graph in which every output is made by a node or given by the caller. A file may give a constant as it is; here it
 * gives a copy, so that the constant itself is read, and lies on ranks, as any other. So do the branches of its `If`s,
 * whose constants move out of them.
 */
export function copyGivenConstants(graph: Graph): Graph {
  const values = new Set(valuesOf(graph));
  return copied(graph, new FreshNames((name) => values.has(name)));
}

function copied<Of extends Branch>(graph: Of, names: FreshNames): Of {
  const given = new Set(graph.outputs.map(({ name }) => name));
  const copies: GraphNode[] = [];
  const constant = (name: string): string => {
    if (!given.has(name)) return name;
    const held = names.after(name);
    copies.push({ opType: "Identity", domain: "", inputs: [held], outputs: [name], attributes: {} });
    return held;
  };
  const weights = Array.from(graph.weights, ([name, weight]): [string, Weight] => [constant(name), weight]);
  const nodes = graph.nodes.map((node) => {
    if (isIf(node)) return withBranches(node, names);
    return isConstant(node) ? { ...node, outputs: node.outputs.map(constant) } : node;
  });
  const [constants, others] = [nodes.filter(isConstant), nodes.filter((node) => !isConstant(node))];
  return { ...graph, nodes: [...constants, ...copies, ...others], weights: new Map(weights) };
}

function withBranches(node: GraphNode, names: FreshNames): GraphNode {
  const attributes = Object.entries(node.attributes).map(([key, attribute]) => [
    key,
    attribute.kind === "graph" ? { ...attribute, value: copied(attribute.value, names) } : attribute,
  ]);
  return { ...node, attributes: Object.fromEntries(attributes) };
}

function isConstant({ opType, domain }: GraphNode): boolean {
  return opType === "Constant" && domain === "";
}

/** Names of all values, those inside branches included. */
function valuesOf({ inputs, weights, nodes }: Branch): string[] {
  const made = nodes.flatMap(({ outputs, attributes }) => [
    ...outputs,
    ...Object.values(attributes).flatMap((one) => (one.kind === "graph" ? valuesOf(one.value) : [])),
  ]);
  return [...inputs.map(({ name }) => name), ...weights.keys(), ...made];
}
