import { buildGraph, openCheckpoint } from "@ringrank/model";

/** The graph that Ringrank splits, whole. */
export function unsplitGraph(checkpoint, precision) {
  const { graph } = buildGraph(openCheckpoint(checkpoint));
  if (precision !== "float32") throw new Error(`precision ${precision} is not there yet`);
  return graph;
}
