import { RingrankError } from "@ringrank/errors";
import type { DataType, TensorData } from "@ringrank/model";

interface ElementType {
  readonly bytes: number;
  allocate(length: number): TensorData;
}

const elementTypes: Readonly<Record<DataType, ElementType>> = {
  float32: { bytes: 4, allocate: (length) => new Float32Array(length) },
  float16: { bytes: 2, allocate: (length) => new Uint16Array(length) },
  bfloat16: { bytes: 2, allocate: (length) => new Uint16Array(length) },
  float64: { bytes: 8, allocate: (length) => new Float64Array(length) },
  int64: { bytes: 8, allocate: (length) => new BigInt64Array(length) },
  int32: { bytes: 4, allocate: (length) => new Int32Array(length) },
  int16: { bytes: 2, allocate: (length) => new Int16Array(length) },
  int8: { bytes: 1, allocate: (length) => new Int8Array(length) },
  uint64: { bytes: 8, allocate: (length) => new BigUint64Array(length) },
  uint32: { bytes: 4, allocate: (length) => new Uint32Array(length) },
  uint16: { bytes: 2, allocate: (length) => new Uint16Array(length) },
  uint8: { bytes: 1, allocate: (length) => new Uint8Array(length) },
  bool: { bytes: 1, allocate: (length) => new Uint8Array(length) },
};

/** Zero-filled elements. float16 and bfloat16 as Uint16Array, bool as Uint8Array. */
export function allocate(type: DataType, length: number): TensorData {
  return elementTypes[type].allocate(length);
}

export function bytesPerElement(type: DataType): number {
  return elementTypes[type].bytes;
}

/** Whole numbers as elements of `type`, which must be an integer type that holds them. */
export function integers(type: DataType, values: Iterable<number>): TensorData {
  switch (type) {
    case "int64":
      return BigInt64Array.from(values, BigInt);
    case "uint64":
      return BigUint64Array.from(values, BigInt);
    case "int32":
      return Int32Array.from(values);
    case "uint32":
      return Uint32Array.from(values);
    case "bool":
    case "uint8":
      return Uint8Array.from(values);
    case "float32":
      return Float32Array.from(values);
    default:
      throw new RingrankError(
        "RR_TYPE",
        `expected an input of an integer type, got ${type}; export it as int64`,
      );
  }
}

export function isDataType(type: string): type is DataType {
  return Object.hasOwn(elementTypes, type);
}

/** How many elements a tensor of these sizes has; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}
