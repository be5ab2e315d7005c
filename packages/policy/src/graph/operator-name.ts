import type { GraphNode } from "@ringrank/model";

/** `Add` for an operator of the default ONNX domain, `com.microsoft::FusedMatMul` for one of another. */
export function operatorName({ opType, domain }: Pick<GraphNode, "opType" | "domain">): string {
  return domain === "" || domain === "ai.onnx" ? opType : `${domain}::${opType}`;
}
