import { type GraphNode, readsOf } from "@ringrank/model";
import { operatorName } from "../graph/operator-name.js";

/** Products. Whatever is ranked after one is no longer its input. */
const products: ReadonlySet<string> = new Set([
  "Attention",
  "Conv",
  "ConvInteger",
  "ConvTranspose",
  "Gemm",
  "MatMul",
  "MatMulInteger",
  "com.microsoft::Attention",
  "com.microsoft::FusedMatMul",
  "com.microsoft::GroupQueryAttention",
  "com.microsoft::MatMulIntegerToFloat",
  "com.microsoft::MatMulBnb4",
  "com.microsoft::MatMulNBits",
  "com.microsoft::MultiHeadAttention",
  "com.microsoft::QAttention",
  "com.microsoft::TransposeMatMul",
]);

/**
 * Values that, before any other product, lead to a ranking by a `TopK`: which experts a row is routed to.
 *
 * @param nodes in an order in which they can run
 */
export function rankedValues(nodes: readonly GraphNode[]): ReadonlySet<string> {
  const ranked = new Set<string>();
  for (const node of nodes.toReversed()) {
    const passesOn = !products.has(operatorName(node)) && node.outputs.some((name) => ranked.has(name));
    if (node.opType === "TopK" || passesOn) for (const name of readsOf(node)) ranked.add(name);
  }
  return ranked;
}
