import type { GraphBuilder, Value } from "../../graph/index.js";

/** Of float32. Finite, so that a row with nothing to see has a softmax all the same. */
export const lowestNumber = -3.4028234663852886e38;

/** What is added to scores: 0 where `seen`, bool, is true, else the lowest number. float32, the shape of `seen`. */
export function additiveMask(g: GraphBuilder, seen: Value): Value {
  return g.where(seen, g.numbers([0]), g.numbers([lowestNumber]));
}
