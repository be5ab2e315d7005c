import { type GraphNode, readsOf } from "@ringrank/model";
import { operatorName } from "../rules/table.js";

/** Products. What is ranked after one is no longer what it read. */
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
 * Values of which what follows, short of another product, is ranked by a `TopK`: which experts a row goes to.
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
