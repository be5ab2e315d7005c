import { type Dim, sizeOf } from "../factors/factor.js";
import { isOne } from "../shapes/size-pair.js";
import type { Propagation } from "./rule.js";

/** The dimensions of several shapes broadcast together. */
export function broadcast(shapes: readonly (readonly Dim[])[], factors: Propagation): Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const out: Dim[] = [];
  for (let fromEnd = rank; fromEnd > 0; fromEnd--) {
    let dim: Dim = [];
    for (const shape of shapes) {
      const mine = shape[shape.length - fromEnd];
      if (mine === undefined || isOne(sizeOf(mine))) continue;
      if (isOne(sizeOf(dim))) dim = mine;
      else factors.unify(dim, mine);
    }
    out.push(dim);
  }
  return out;
}
