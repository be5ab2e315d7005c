import type { Graph, GraphNode } from "@ringrank/model";
import { FreshNames } from "../graph/fresh-names.js";
import { makeNode } from "../graph/make-node.js";
import { ruleFor } from "../rules/table.js";

/**
 * A graph in which operators without a rule read whole values: sharded values are gathered for them only, so that
 * anything before them may still be sharded.
 */
export function gatherForUnruled(graph: Graph): Graph {
  const fixed = new Set([
    "",
    ...graph.weights.keys(),
    ...graph.nodes.flatMap((node) => (node.opType === "Constant" ? node.outputs : [])),
  ]);
  const wholes = new Map<string, string>();
  const taken = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const names = new FreshNames((name) => taken.has(name));
  const nodes = graph.nodes.flatMap((node): GraphNode[] => {
    if (ruleFor(node) !== undefined) return [node];
    const made: GraphNode[] = [];
    const inputs = node.inputs.map((name) => {
      if (fixed.has(name)) return name;
      const known = wholes.get(name);
      if (known !== undefined) return known;
      const whole = names.after(`${name}·whole`);
      wholes.set(name, whole);
      made.push(makeNode("ringrank::Whole", [name], whole));
      return whole;
    });
    return [...made, { ...node, inputs }];
  });
  return wholes.size === 0 ? graph : { ...graph, nodes };
}
