import type { Graph, Weight } from "@ringrank/model";
import { allocate } from "@ringrank/model/weights";

/**
 * Stores weights without elements in the graph: no rank has a part of one, and ONNX Runtime does not accept empty
 * external data.
 */
export function holdEmptyWeights(graph: Graph): Graph {
  if (![...graph.weights.values()].some(isEmpty)) return graph;
  const weights = Array.from(graph.weights, ([name, weight]): [string, Weight] => {
    if (!isEmpty(weight)) return [name, weight];
    return [name, { ...weight, source: { kind: "inline", data: allocate(weight.type, 0) } }];
  });
  return { ...graph, weights: new Map(weights) };
}

function isEmpty({ dims, source }: Weight): boolean {
  return source.kind !== "inline" && dims.includes(0);
}
