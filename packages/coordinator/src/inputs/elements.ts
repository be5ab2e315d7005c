import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import type { TensorType } from "../tensor.js";

type IntegerType = Exclude<TensorType, "float16" | "bfloat16" | "float32" | "float64">;

/** The smallest and the largest value of each integer type. */
const integerRange: Readonly<Record<IntegerType, readonly [number | bigint, number | bigint]>> = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint8: [0, 2 ** 8 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0, 2n ** 64n - 1n],
  bool: [0, 1],
};

/**
 * Plain numbers as elements of `type`, without changing any: numbers out of range are refused, not wrapped.
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
      `input ${name}: pass ${type} elements as a tensor with their bits in a Uint16Array`,
    );
  }
  if (type === "float32") return Float32Array.from(elements, Number);
  if (type === "float64") return Float64Array.from(elements, Number);
  const [least, greatest] = integerRange[type];
  for (const element of elements) {
    const value = typeof element === "bigint" ? element : Number(element);
    const isExact = typeof value === "bigint" || Number.isSafeInteger(value);
    if (isExact && value >= least && value <= greatest) continue;
    const expected = `${type} elements${Number.isInteger(value) && !isExact ? ", as bigints beyond 2^53" : ""}`;
    throw new RingrankError("RR_TYPE", `input ${name}: expected ${expected}; got ${String(element)}`);
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
