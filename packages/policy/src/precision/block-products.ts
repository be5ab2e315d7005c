import { type Attribute, type Graph, int, quantizationBlock, withoutUnread } from "@ringrank/model";
import type { Precision } from "./precision.js";

/** Bits of an element of a quantized product's matrix. */
export function productBits({ weights }: Precision): 4 | 8 {
  return weights === "int4" ? 4 : 8;
}

/** The attributes of a MatMulNBits by a matrix that is quantized as it is read, `[N, K]`. */
export function productAttributes(precision: Precision, K: number, N: number): Record<string, Attribute> {
  return intAttributes({
    K,
    N,
    bits: productBits(precision),
    block_size: quantizationBlock,
    // The operator specification's numbers for fp32 and int8.
    accuracy_level: precision.activations === "int8" ? 4 : 1,
  });
}

/** The graph with other nodes and weights, some of which are operators of `com.microsoft`. */
export function withProducts(graph: Graph, changed: Pick<Graph, "nodes" | "weights">): Graph {
  const { "com.microsoft": version = 1, ...opsets } = graph.opsets;
  return withoutUnread({ ...graph, ...changed, opsets: { ...opsets, "com.microsoft": version } });
}

export function intAttributes(values: Readonly<Record<string, number>>): Record<string, Attribute> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, int(value)]));
}
