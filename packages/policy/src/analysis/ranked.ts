import type { GraphNode } from "@ringrank/model";
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
  "com.microsoft::MatMulNBits",
  "com.microsoft::MultiHeadAttention",
  "com.microsoft::TransposeMatMul",
]);

/** Whether what follows from a value, short of another product, is ranked by a `TopK`: which experts a row goes to. */
export function isRanked(value: string, readersOf: (name: string) => readonly GraphNode[]): boolean {
  const seen = new Set<string>();
  const pending = [value];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const reader of readersOf(name)) {
      if (reader.opType === "TopK") return true;
      if (!products.has(operatorName(reader))) pending.push(...reader.outputs);
    }
  }
  return false;
}
