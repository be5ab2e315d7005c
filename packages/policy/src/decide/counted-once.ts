import type { FactoredNode } from "../analysis/factored-graph.js";
import type { Placement } from "./placement.js";

/**
 * Whether input `slot` of a node is an addend of a sum that is still owed, so that all ranks except one omit it:
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
