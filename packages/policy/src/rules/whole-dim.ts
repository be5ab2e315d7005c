import { type Dim, freshDim, type SizePair } from "../factors/factor.js";
import type { Propagation } from "./rule.js";

/** A dimension related to no other, which no rank may have a part of. */
export function wholeDim(size: SizePair, factors: Propagation, why: string): Dim {
  const dim = freshDim(size);
  factors.whole(dim, why);
  return dim;
}
