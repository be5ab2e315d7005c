import type { InterpretedConstant, InterpretedType } from "@ringrank/policy";
import { elementCount, integers } from "../tensors/element-types.js";
import { type Tensor, tensor } from "../tensors/tensor.js";

/** Of float32, of bool (0 and 1), of int64: as numbers, since arithmetic on BigInt takes ten times as long. */
export type SmallData = Float32Array | Uint8Array | Float64Array;

/** A value that is interpreted, whose sizes are the same from run to run. */
export interface SmallValue {
  readonly type: InterpretedType;
  readonly dims: readonly number[];
  /** What another value has lies elsewhere in the next run. */
  data: SmallData;
  /** Whether the memory is this value's alone, and the same from run to run. */
  readonly isOwn: boolean;
  /** Whether elements are the same from run to run, too. */
  readonly isFixed: boolean;
}

const arrays = { float32: Float32Array, bool: Uint8Array, int64: Float64Array } as const;

/** A value with memory of its own, zeros. */
export function smallValue(type: InterpretedType, dims: readonly number[], isFixed: boolean): SmallValue {
  return { type, dims, isFixed, isOwn: true, data: new arrays[type](elementCount(dims)) };
}

export function constantValue({ type, dims, elements }: InterpretedConstant): SmallValue {
  const value = smallValue(type, dims, true);
  value.data.set(elements);
  return value;
}

/** A value for the elements of such a tensor; undefined of one that is of another type. */
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
 * Reads the elements of a tensor like the one that the value was made for.
 *
 * @returns false for integers that are no numbers
 */
export function readTensor({ data }: Tensor, into: SmallValue): boolean {
  if (data instanceof BigInt64Array) return readIntegers(data, into.data);
  into.data = data as SmallData;
  return true;
}

/** A tensor of memory of its own. */
export function toTensor({ type, dims, data }: SmallValue): Tensor {
  return tensor(type, data instanceof Float64Array ? integers(type, data) : data.slice(), dims);
}

/** A tensor of the value's memory. */
export function tensorOf({ type, dims, data }: SmallValue): Tensor {
  return tensor(type, data, dims);
}

/** By halves, since each BigInt would be an object. */
function readIntegers(from: BigInt64Array, to: SmallData): boolean {
  const halves = new Int32Array(from.buffer, from.byteOffset, 2 * from.length);
  for (let i = 0; i < from.length; i++) {
    const high = halves[2 * i + 1]!;
    if (high >= 2 ** 21 || high < -(2 ** 21)) return false;
    to[i] = high * 2 ** 32 + (halves[2 * i]! >>> 0);
  }
  return true;
}
