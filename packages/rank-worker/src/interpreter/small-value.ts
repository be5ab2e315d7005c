import { elementCount } from "@ringrank/model/weights";
import type { InterpretedConstant, InterpretedType } from "@ringrank/policy";
import { integers } from "../tensors/element-types.js";
import { type Tensor, tensor } from "../tensors/tensor.js";

/**
 * For float32, bool (0 and 1), and int64, which is stored as numbers because arithmetic on BigInt takes ten times as
 * long.
 */
export type SmallData = Float32Array | Uint8Array | Float64Array;

/** An interpreted value, whose sizes do not change between runs. */
export interface SmallValue {
  readonly type: InterpretedType;
  readonly dims: readonly number[];
  /** If the elements belong to another value, they may be elsewhere in the next run. */
  data: SmallData;
  /** Whether the memory belongs to this value, and does not change between runs. */
  readonly isOwn: boolean;
  /** Whether the elements do not change between runs either. */
  readonly isFixed: boolean;
}

const arrays = { float32: Float32Array, bool: Uint8Array, int64: Float64Array } as const;

/** A value with its own memory, filled with zeros. */
export function smallValue(type: InterpretedType, dims: readonly number[], isFixed: boolean): SmallValue {
  return { type, dims, isFixed, isOwn: true, data: new arrays[type](elementCount(dims)) };
}

export function constantValue({ type, dims, elements }: InterpretedConstant): SmallValue {
  const value = smallValue(type, dims, true);
  value.data.set(elements);
  return value;
}

/** A value for the elements of a tensor like this one; undefined if its type is not interpreted. */
export function inputValue({ type, dims, data }: Tensor): SmallValue | undefined {
  const isSmall =
    (type === "float32" && data instanceof Float32Array) ||
    (type === "bool" && data instanceof Uint8Array) ||
    (type === "int64" && data instanceof BigInt64Array);
  if (!isSmall) return undefined;
  if (data instanceof BigInt64Array) return smallValue("int64", dims, false);
  return { type: type as "float32" | "bool", dims, data, isOwn: false, isFixed: false };
}

/**
 * Reads the elements of a tensor like the one that the value was created for.
 *
 * @returns false if there are integers that are not exact numbers
 */
export function readTensor({ data }: Tensor, into: SmallValue): boolean {
  if (data instanceof BigInt64Array) return readIntegers(data, into.data);
  into.data = data as SmallData;
  return true;
}

/** A tensor with a copy of the elements. */
export function toTensor({ type, dims, data }: SmallValue): Tensor {
  return tensor(type, data instanceof Float64Array ? integers(type, data) : data.slice(), dims);
}

/** A tensor on the value's own memory. */
export function tensorOf({ type, dims, data }: SmallValue): Tensor {
  return tensor(type, data, dims);
}

/** Reads them as 32-bit halves, since each BigInt would be an object. */
function readIntegers(from: BigInt64Array, to: SmallData): boolean {
  const halves = new Int32Array(from.buffer, from.byteOffset, 2 * from.length);
  for (let i = 0; i < from.length; i++) {
    const high = halves[2 * i + 1]!;
    if (high >= 2 ** 21 || high < -(2 ** 21)) return false;
    to[i] = high * 2 ** 32 + (halves[2 * i]! >>> 0);
  }
  return true;
}
