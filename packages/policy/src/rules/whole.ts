import { type Dim, freshDim } from "../factors/factor.js";
import type { SizePair } from "../shapes/size-pair.js";
import type { Operator, Propagation } from "./rule.js";

/** A dimension that is related to no other, and must not be split. */
export function wholeDim(size: SizePair, factors: Propagation, why: string): Dim {
  const dim = freshDim(size);
  factors.whole(dim, why);
  return dim;
}

/** All inputs whole, and outputs related to nothing: for forms of an operator that its rule does not cover. */
export function wholeEverything(operator: Operator, factors: Propagation, why: string): Dim[][] {
  operator.inputs.forEach((operand, slot) => {
    if (operand !== undefined) for (const dim of factors.input(slot)) factors.whole(dim, why);
  });
  return wholeOutputs(operator, factors, why);
}

/** Outputs that are related to nothing, and must not be split. */
export function wholeOutputs(operator: Operator, factors: Propagation, why: string): Dim[][] {
  return operator.outputs.map((operand) => (operand?.dims ?? []).map((size) => wholeDim(size, factors, why)));
}
