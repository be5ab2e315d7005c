import type { FactoredGraph } from "../analysis/propagate.js";
import type { Placement } from "./placement.js";

/**
 * The required values, and those that are read to compute them.
 *
 * @param reads whether input `slot` of a node is read, if one of its outputs is needed
 * @param more values that are required in addition to outputs and exchanged values
 */
export function neededFor(
  { nodes, graph }: FactoredGraph,
  { paid, gathered }: Placement,
  reads: (node: number, slot: number) => boolean,
  more: Iterable<string> = [],
): ReadonlySet<string> {
  const given = graph.outputs.map(({ name }) => name);
  const needed = new Set([...given, ...paid, ...gathered.keys(), ...more]);
  for (let index = nodes.length - 1; index >= 0; index--) {
    const { node } = nodes[index]!.operator;
    if (!node.outputs.some((name) => needed.has(name))) continue;
    node.inputs.forEach((name, slot) => {
      if (name !== "" && reads(index, slot)) needed.add(name);
    });
  }
  return needed;
}
