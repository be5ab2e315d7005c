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

type Maker = (buffer: ArrayBuffer, length: number) => TensorData;

const makers: Readonly<Record<DataType, Maker>> = {
  float64: (buffer, length) => new Float64Array(buffer, 0, length),
  int64: (buffer, length) => new BigInt64Array(buffer, 0, length),
  uint64: (buffer, length) => new BigUint64Array(buffer, 0, length),
  float32: (buffer, length) => new Float32Array(buffer, 0, length),
  int32: (buffer, length) => new Int32Array(buffer, 0, length),
  uint32: (buffer, length) => new Uint32Array(buffer, 0, length),
  float16: (buffer, length) => new Uint16Array(buffer, 0, length),
  bfloat16: (buffer, length) => new Uint16Array(buffer, 0, length),
  int16: (buffer, length) => new Int16Array(buffer, 0, length),
  uint16: (buffer, length) => new Uint16Array(buffer, 0, length),
  int8: (buffer, length) => new Int8Array(buffer, 0, length),
  uint8: (buffer, length) => new Uint8Array(buffer, 0, length),
  bool: (buffer, length) => new Uint8Array(buffer, 0, length),
};

/**
 * An array of `length` elements; float16 and bfloat16 as their bits, bool as bytes.
 *
 * @param buffer where it begins with the first byte; default: new memory, zeroed
 */
export function allocate(
  type: DataType,
  length: number,
  buffer: ArrayBuffer = new ArrayBuffer(length * bytesPerElement[type]),
): TensorData {
  return makers[type](buffer, length);
}

/** `offered`, if it has `bytes` bytes, else new memory of so many. */
export function room(bytes: number, offered: ArrayBuffer | undefined): ArrayBuffer {
  return offered !== undefined && offered.byteLength >= bytes ? offered : new ArrayBuffer(bytes);
}

/** The memory of `array`, as bytes. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
