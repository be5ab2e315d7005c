import { type DataType, type TensorData, toInt64, type Weight } from "@ringrank/model";
import type { Evaluated } from "../evaluated.js";

/** A weight of the graph with the contents of a value. */
export function inlineWeight({ type, dims, contents = [] }: Evaluated): Weight {
  const data = toData(type, contents);
  return { type, dims, source: { kind: "inline", data } };
}

function toData(type: DataType, contents: readonly number[]): TensorData {
  switch (type) {
    case "int64":
      return BigInt64Array.from(contents, toInt64);
    case "int32":
      return Int32Array.from(contents);
    case "bool":
      return Uint8Array.from(contents);
    case "float32":
      return Float32Array.from(contents);
    default:
      throw new TypeError(`expected a constant of int64, int32, bool or float32, not ${type}`);
  }
}
