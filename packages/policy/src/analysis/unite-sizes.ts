import { type Graph, withSizes } from "@ringrank/model";
import { findEqualSizes } from "../shapes/index.js";
import { lowerWhole } from "./prepare-graph.js";

/**
 * A graph in which sizes that have to be equal have one name, so that it can be planned and calls can be held to it. A
 * graph that takes all sizes is given back as it is, and so is one that can be planned at none: {@link planGraph} says
 * why.
 */
export function uniteSizes(graph: Graph): Graph {
  return withSizes(graph, findEqualSizes(lowerWhole(graph), "taken"));
}
