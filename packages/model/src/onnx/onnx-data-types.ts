import type { DataType } from "../graph/graph.js";
import { dataTypes } from "./messages.js";

const onnxByName: Readonly<Record<DataType, number>> = {
  float32: dataTypes.FLOAT,
  float16: dataTypes.FLOAT16,
  bfloat16: dataTypes.BFLOAT16,
  float64: dataTypes.DOUBLE,
  int64: dataTypes.INT64,
  int32: dataTypes.INT32,
  int16: dataTypes.INT16,
  int8: dataTypes.INT8,
  uint64: dataTypes.UINT64,
  uint32: dataTypes.UINT32,
  uint16: dataTypes.UINT16,
  uint8: dataTypes.UINT8,
  bool: dataTypes.BOOL,
};

const nameByOnnx: ReadonlyMap<number, DataType> = new Map(
  (Object.keys(onnxByName) as DataType[]).map((name) => [onnxByName[name], name]),
);

/** ONNX's number of an element type; also the value of Cast's `to`. */
export function toOnnxDataType(type: DataType): number {
  return onnxByName[type];
}

/**
 * The element type for an ONNX number, or undefined for one that a Graph cannot represent (strings, complex, 4 bit).
 */
export function fromOnnxDataType(number: number): DataType | undefined {
  return nameByOnnx.get(number);
}
