import { RingrankError } from "@ringrank/errors";
import type { DataType, TensorData } from "@ringrank/model";
import { bytesPerElement } from "@ringrank/model/weights";

/** Integers as elements of `type`, which must be an integer type that can hold them. */
export function integers(type: DataType, values: ArrayLike<number>): TensorData {
  switch (type) {
    case "int64":
      return filled(new BigInt64Array(values.length), values);
    case "uint64":
      return filled(new BigUint64Array(values.length), values);
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

/** Every step makes a few of these, and `from` would take ten times as long for one element. */
function filled<T extends BigInt64Array | BigUint64Array>(data: T, values: ArrayLike<number>): T {
  for (let at = 0; at < values.length; at++) data[at] = BigInt(values[at]!);
  return data;
}

export function isDataType(type: string): type is DataType {
  return Object.hasOwn(bytesPerElement, type);
}
