import { type Branch, type Graph, type GraphNode, isIf, mapBranches, type Weight } from "@ringrank/model";
import { FreshNames } from "../graph/fresh-names.js";
import { makeNode } from "../graph/make-node.js";

/**
 * A graph in which every output is computed by a node or passed in by the caller. A file may output a constant
 * directly; here it outputs a copy, so that the constant itself is read, and placed on ranks, like any other. The
 * branches of its `If`s do the same; their constants move out of them.
 */
export function copyGivenConstants(graph: Graph): Graph {
  return copied(graph, FreshNames.notIn(graph));
}

function copied<Of extends Branch>(graph: Of, names: FreshNames): Of {
  const given = new Set(graph.outputs.map(({ name }) => name));
  const copies: GraphNode[] = [];
  const constant = (name: string): string => {
    if (!given.has(name)) return name;
    const held = names.after(name);
    copies.push(makeNode("Identity", [held], name));
    return held;
  };
  const weights = Array.from(graph.weights, ([name, weight]): [string, Weight] => [constant(name), weight]);
  const nodes = graph.nodes.map((node) => {
    if (isIf(node)) return { ...node, attributes: mapBranches(node, (branch) => copied(branch, names)) };
    return isConstant(node) ? { ...node, outputs: node.outputs.map(constant) } : node;
  });
  const [constants, others] = [nodes.filter(isConstant), nodes.filter((node) => !isConstant(node))];
  return { ...graph, nodes: [...constants, ...copies, ...others], weights: new Map(weights) };
}

function isConstant({ opType, domain }: GraphNode): boolean {
  return opType === "Constant" && domain === "";
}
