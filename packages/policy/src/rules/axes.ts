import { type Dim, sizeOf } from "../factors/factor.js";
import { isOne } from "../shapes/size-pair.js";
import type { Operator, Propagation } from "./rule.js";
import { wholeDim } from "./whole.js";

/** Relates the axes of an input to known dimensions; all others are needed whole. An axis of size 1 is broadcast. */
export function relateAxes(
  slot: number,
  known: Readonly<Record<number, Dim>>,
  why: string,
  { inputs }: Operator,
  factors: Propagation,
): void {
  if (inputs[slot] === undefined) return;
  factors.input(slot).forEach((dim, axis) => {
    const other = known[axis];
    if (other === undefined) factors.whole(dim, why);
    else if (!isOne(sizeOf(dim)) || isOne(sizeOf(other))) factors.unify(dim, other);
  });
}

/** The known axes of an output, and new dimensions for the others. */
export function axesOfOutput(
  slot: number,
  known: Readonly<Record<number, Dim>>,
  why: string,
  { outputs }: Operator,
  factors: Propagation,
): Dim[] {
  return (outputs[slot]?.dims ?? []).map((size, axis) => known[axis] ?? wholeDim(size, factors, why));
}
