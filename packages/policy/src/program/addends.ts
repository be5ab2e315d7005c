import type { GraphNode } from "@ringrank/model";
import type { FactoredNode } from "../analysis/propagate.js";

/**
 * A replicated addend of a sum that is still owed must count once, so every rank but rank 0 leaves it out:
 *
 *     Σ_r (x_r + [r = 0] b)  =  (Σ_r x_r) + b
 */

/** Whether a node that owes a sum adds something that is not owed. */
export function countsAddend({ operator, rule }: FactoredNode): boolean {
  if (rule?.linearity?.kind === "sum") return true;
  return operator.node.opType === "Gemm" && operator.inputs[2] !== undefined;
}

/** The node without its replicated addends; or, where one operand is left as it is, that operand's name. */
export function dropAddends(
  { operator }: FactoredNode,
  isOwed: (name: string) => boolean,
  inputName: (slot: number) => string,
): { alias?: string; nodes: readonly GraphNode[] } {
  const { node } = operator;
  const slots = node.inputs.map((_, slot) => slot);
  if (node.opType === "Gemm") return { nodes: [{ ...node, inputs: [inputName(0), inputName(1)] }] };
  const kept = slots.filter((slot) => isOwed(node.inputs[slot]!));
  if (kept.length === slots.length) return { nodes: [{ ...node, inputs: slots.map(inputName) }] };
  if (node.opType === "Sub" && kept[0] === 1) {
    return { nodes: [{ ...node, opType: "Neg", inputs: [inputName(1)], attributes: {} }] };
  }
  if (kept.length === 1) return { alias: node.inputs[kept[0]!]!, nodes: [] };
  return { nodes: [{ ...node, inputs: kept.map(inputName) }] };
}
