import type { GraphBuilder, Value } from "../../graph/index.js";

/** The lowest float32. Finite, so that even a row that sees nothing has a softmax. */
export const lowestNumber = -3.4028234663852886e38;

/**
 * An additive mask for scores: 0 where `seen`, bool, is true, else the lowest number. float32, in the shape of `seen`.
 */
export function additiveMask(g: GraphBuilder, seen: Value): Value {
  return g.where(seen, g.numbers([0]), g.numbers([lowestNumber]));
}
