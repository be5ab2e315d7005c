import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import type { TensorType } from "../tensor.js";

/** Least and greatest value of each integer type. */
const integerRange = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint8: [0, 2 ** 8 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  bool: [0, 1],
} as const;

/**
 * Plain numbers as elements of `type`, none of them changed: what does not fit is refused, not wrapped.
 *
 * @throws RR_TYPE
 */
export function arrayFrom(
  name: string,
  type: TensorType,
  elements: readonly (number | bigint | boolean)[],
): TensorData {
  if (type === "float16" || type === "bfloat16") {
    throw new RingrankError(
      "RR_TYPE",
      `input ${name}: give ${type} elements as a tensor of their bits in a Uint16Array`,
    );
  }
  if (type === "float32") return Float32Array.from(elements, Number);
  if (type === "float64") return Float64Array.from(elements, Number);
  const [least, greatest] = integerRange[type];
  for (const element of elements) {
    const value = Number(element);
    if (Number.isInteger(value) && value >= least && value <= greatest) continue;
    throw new RingrankError("RR_TYPE", `input ${name}: expected ${type} elements, got ${String(element)}`);
  }
  switch (type) {
    case "int64":
      return BigInt64Array.from(elements, BigInt);
    case "uint64":
      return BigUint64Array.from(elements, BigInt);
    case "int32":
      return Int32Array.from(elements, Number);
    case "uint32":
      return Uint32Array.from(elements, Number);
    case "int16":
      return Int16Array.from(elements, Number);
    case "uint16":
      return Uint16Array.from(elements, Number);
    case "int8":
      return Int8Array.from(elements, Number);
    case "uint8":
    case "bool":
      return Uint8Array.from(elements, Number);
  }
}
