import { type GraphNode, intAttribute } from "@ringrank/model";

/** Whether a MatMul, FusedMatMul or Gemm reads its first operand, and the batches of both, as they are. */
export function transposesSecondAtMost(node: GraphNode): boolean {
  return ["transA", "transBatchA", "transBatchB"].every((flag) => intAttribute(node, flag, 0) === 0);
}
