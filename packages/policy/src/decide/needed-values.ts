import type { FactoredGraph } from "../analysis/propagate.js";
import type { Placement } from "./placement.js";

/**
 * Values that have to be there, and those that are read to make them.
 *
 * @param reads whether input `slot` of a node is read, if one of its outputs is needed
 * @param more what has to be there besides what the caller is given and what ranks exchange
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
