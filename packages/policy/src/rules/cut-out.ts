import { type Dim, freshDim, sizeOf, sumDim } from "../factors/factor.js";
import type { Propagation } from "./rule.js";

/** Splits `dim` into what is before `[start, start + length)`, that range, and what is after it. */
export function cutOut(dim: Dim, start: number, length: number, factors: Propagation): [Dim, Dim, Dim] {
  const size = sizeOf(dim)[0];
  const part = (length: number): Dim => freshDim([length, length]);
  const parts: [Dim, Dim, Dim] = [part(start), part(length), part(size - start - length)];
  factors.unify(dim, sumDim(parts));
  return parts;
}
