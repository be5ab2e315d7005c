import type { FactoredGraph, FactoredNode } from "../analysis/propagate.js";
import type { Placement } from "./placement.js";

/**
 * Whether input `slot` of a node is an addend of a sum that is still owed, so that all ranks but one leave it out:
 *
 *     Σ_r (x_r + [r = 0] b)  =  (Σ_r x_r) + b
 */
export function countsOnce(
  { operator, rule, linearity }: FactoredNode,
  slot: number,
  { partial, paid }: Placement,
): boolean {
  const { node } = operator;
  if (!node.outputs.some((name) => partial.has(name))) return false;
  if (rule?.addends !== undefined) return rule.addends.includes(slot);
  const name = node.inputs[slot]!;
  return linearity?.kind === "sum" && !(partial.has(name) && !paid.has(name));
}

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
