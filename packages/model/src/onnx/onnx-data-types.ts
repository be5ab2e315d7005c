import type { DataType } from "../graph/graph.js";
import { TensorProto_DataType } from "./onnx_pb.js";

const onnxByName: Readonly<Record<DataType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  bfloat16: TensorProto_DataType.BFLOAT16,
  float64: TensorProto_DataType.DOUBLE,
  int64: TensorProto_DataType.INT64,
  int32: TensorProto_DataType.INT32,
  int16: TensorProto_DataType.INT16,
  int8: TensorProto_DataType.INT8,
  uint64: TensorProto_DataType.UINT64,
  uint32: TensorProto_DataType.UINT32,
  uint16: TensorProto_DataType.UINT16,
  uint8: TensorProto_DataType.UINT8,
  bool: TensorProto_DataType.BOOL,
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
