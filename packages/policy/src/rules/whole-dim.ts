import { type Dim, freshDim, type SizePair } from "../factors/factor.js";
import type { Propagation } from "./rule.js";

/** A dimension that is related to no other, and must not be split. */
export function wholeDim(size: SizePair, factors: Propagation, why: string): Dim {
  const dim = freshDim(size);
  factors.whole(dim, why);
  return dim;
}
