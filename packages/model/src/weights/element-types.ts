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

type Maker = (buffer: ArrayBuffer, start: number, length: number) => TensorData;

const makers: Readonly<Record<DataType, Maker>> = {
  float64: (buffer, start, length) => new Float64Array(buffer, start, length),
  int64: (buffer, start, length) => new BigInt64Array(buffer, start, length),
  uint64: (buffer, start, length) => new BigUint64Array(buffer, start, length),
  float32: (buffer, start, length) => new Float32Array(buffer, start, length),
  int32: (buffer, start, length) => new Int32Array(buffer, start, length),
  uint32: (buffer, start, length) => new Uint32Array(buffer, start, length),
  float16: (buffer, start, length) => new Uint16Array(buffer, start, length),
  bfloat16: (buffer, start, length) => new Uint16Array(buffer, start, length),
  int16: (buffer, start, length) => new Int16Array(buffer, start, length),
  uint16: (buffer, start, length) => new Uint16Array(buffer, start, length),
  int8: (buffer, start, length) => new Int8Array(buffer, start, length),
  uint8: (buffer, start, length) => new Uint8Array(buffer, start, length),
  bool: (buffer, start, length) => new Uint8Array(buffer, start, length),
};

/**
 * An array of `length` elements; float16 and bfloat16 as their bits, bool as bytes.
 *
 * @param room memory that the array uses from its first byte on; default: new memory, zeroed
 * @throws RangeError if the room is too small, or does not start at a multiple of an element's size
 */
export function allocate(
  type: DataType,
  length: number,
  room: Uint8Array = new Uint8Array(length * bytesPerElement[type]),
): TensorData {
  return makers[type](room.buffer as ArrayBuffer, room.byteOffset, length);
}

/** `offered`, if it has `bytes` bytes, else new memory of that size. */
export function room(bytes: number, offered: Uint8Array | undefined): Uint8Array {
  return offered !== undefined && offered.length >= bytes ? offered : new Uint8Array(bytes);
}

/** The memory of `array`, as bytes. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Number of elements of a tensor of these sizes; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const size of dims) count *= size;
  return count;
}

/** Bytes of a tensor of this type and these sizes. */
export function byteCount(type: DataType, dims: readonly number[]): number {
  return elementCount(dims) * bytesPerElement[type];
}
