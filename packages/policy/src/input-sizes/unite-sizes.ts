import { type Graph, withSizes } from "@ringrank/model";
import { lowerWhole } from "../preparation/prepare-graph.js";
import { findEqualSizes } from "./equal-sizes.js";

/**
 * A graph in which sizes that must be equal have the same name, so that it can be planned, and calls can be checked. A
 * graph that works with all sizes is returned unchanged; so is one that cannot be planned with any: {@link planGraph}
 * says why.
 */
export function uniteSizes(graph: Graph): Graph {
  return withSizes(graph, findEqualSizes(lowerWhole(graph), "taken"));
}
