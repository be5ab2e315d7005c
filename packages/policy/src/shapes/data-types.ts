import type { DataType } from "@ringrank/model";
import type { NodeContext } from "./node-context.js";

/** TensorProto.DataType of onnx.proto, as the attributes of Cast, EyeLike and others hold it. */
const byNumber: ReadonlyMap<number, DataType> = new Map([
  [1, "float32"],
  [2, "uint8"],
  [3, "int8"],
  [4, "uint16"],
  [5, "int16"],
  [6, "int32"],
  [7, "int64"],
  [9, "bool"],
  [10, "float16"],
  [11, "float64"],
  [12, "uint32"],
  [13, "uint64"],
  [16, "bfloat16"],
]);

/** The element type that an attribute names by its number; `fallback` where it is absent or 0 (undefined). */
export function typeAttribute(node: NodeContext, name: string, fallback?: DataType): DataType {
  const number = node.int(name, 0);
  if (number === 0) return fallback ?? node.fail(`the attribute ${name}`);
  return byNumber.get(number) ?? node.fail(`the attribute ${name} to be a known element type, not ${number}`);
}
