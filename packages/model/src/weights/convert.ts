import type { DataType } from "../graph/graph.js";

/** How elements stored as `storedAs` are converted to `type`: copied, or by the kernel with this name. */
export type Conversion = "copy" | "widenBfloat16" | "widenFloat16";

/** Undefined if the conversion would lose or invent values. */
export function conversion(storedAs: DataType, type: DataType): Conversion | undefined {
  if (storedAs === type) return "copy";
  if (type !== "float32") return undefined;
  if (storedAs === "bfloat16") return "widenBfloat16";
  if (storedAs === "float16") return "widenFloat16";
  return undefined;
}
