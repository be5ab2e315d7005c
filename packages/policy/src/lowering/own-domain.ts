import type { GraphNode } from "@ringrank/model";
import { operatorName } from "../graph/operator-name.js";

/** The domain of operators that represent parts of others while a graph is planned. No rank ever runs one. */
export const ownDomain = "ringrank";

/** The operator that returns a value whole, gathering it if it is sharded. */
export function isGather(node: GraphNode): boolean {
  return operatorName(node) === "ringrank::Whole";
}
