import type { DataType, TensorData } from "../graph/graph.js";

/** Bytes of one element. */
export const bytesPerElement: Readonly<Record<DataType, number>> = {
  float64: 8,
  int64: 8,
  uint64: 8,
  float32: 4,
  int32: 4,
  uint32: 4,
  float16: 2,
  bfloat16: 2,
  int16: 2,
  uint16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

const makers: Readonly<Record<DataType, (length: number) => TensorData>> = {
  float64: (length) => new Float64Array(length),
  int64: (length) => new BigInt64Array(length),
  uint64: (length) => new BigUint64Array(length),
  float32: (length) => new Float32Array(length),
  int32: (length) => new Int32Array(length),
  uint32: (length) => new Uint32Array(length),
  float16: (length) => new Uint16Array(length),
  bfloat16: (length) => new Uint16Array(length),
  int16: (length) => new Int16Array(length),
  uint16: (length) => new Uint16Array(length),
  int8: (length) => new Int8Array(length),
  uint8: (length) => new Uint8Array(length),
  bool: (length) => new Uint8Array(length),
};

/** A zeroed array of `length` elements; float16 and bfloat16 as their bits, bool as bytes. */
export function allocate(type: DataType, length: number): TensorData {
  return makers[type](length);
}

/** The memory of `array`, as bytes. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
