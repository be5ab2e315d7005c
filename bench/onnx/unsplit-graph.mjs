import { buildGraph, openCheckpoint } from "@ringrank/model";
import { graphInPrecision } from "@ringrank/policy";

/** The graph that Ringrank splits, unsplit. */
export function unsplitGraph(checkpoint, precision) {
  return graphInPrecision(buildGraph(openCheckpoint(checkpoint)).graph, { precision });
}
