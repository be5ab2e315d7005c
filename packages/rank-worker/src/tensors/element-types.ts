import { RingrankError } from "@ringrank/errors";
import type { DataType, TensorData } from "@ringrank/model";
import { bytesPerElement } from "@ringrank/model/weights";

/** Integers as elements of `type`, which must be an integer type that can hold them. */
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
  return Object.hasOwn(bytesPerElement, type);
}
