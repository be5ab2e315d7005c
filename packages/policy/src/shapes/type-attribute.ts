import { type DataType, fromOnnxDataType } from "@ringrank/model";
import type { NodeContext } from "./node-context.js";

/** The element type in an attribute, as ONNX's number; `fallback` if it is absent or 0 (undefined). */
export function typeAttribute(node: NodeContext, name: string, fallback?: DataType): DataType {
  const number = node.int(name, 0);
  if (number === 0) return fallback ?? node.fail(`the attribute ${name}`);
  return (
    fromOnnxDataType(number) ?? node.fail(`the attribute ${name} to be a known element type, not ${number}`)
  );
}
