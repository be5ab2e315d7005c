import { RingrankError } from "@ringrank/errors";
import { elementCount } from "@ringrank/model/weights";
import type { TensorMessage } from "@ringrank/rank-worker";

/** The array type of each element type. float16 and bfloat16 are stored as their bits, bool as 0 or 1 per byte. */
interface ElementArrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

/** Element types, named as in ONNX, lower case. */
export type TensorType = keyof ElementArrays;

/** A dense row-major tensor with elements of one type; `data.length` is the product of `dims`. */
export interface TensorOf<Type extends TensorType> {
  readonly type: Type;
  readonly dims: readonly number[];
  readonly data: ElementArrays[Type];
}

/** Any tensor, discriminated by `type`: after `tensor.type === "float32"`, `tensor.data` is a Float32Array. */
export type Tensor = { [Type in TensorType]: TensorOf<Type> }[TensorType];

const arrayOf = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/**
 * Whether `value` has the form of a {@link Tensor}: a known type, integer dimensions, and the right array of the right
 * length.
 */
export function isTensor(value: unknown): value is Tensor {
  if (typeof value !== "object" || value === null) return false;
  const { type, dims, data } = value as Partial<Record<keyof Tensor, unknown>>;
  return (
    typeof type === "string" &&
    isTensorType(type) &&
    Array.isArray(dims) &&
    // Unlike an array's own method, this does not skip what an array lacks.
    Array.from(dims).every((dim) => Number.isSafeInteger(dim) && dim >= 0) &&
    isArrayOf(type, data) &&
    data.length === elementCount(dims)
  );
}

/** Unlike `instanceof`, this also works for arrays from another realm, such as a test runner's. */
function isArrayOf<Type extends TensorType>(type: Type, data: unknown): data is ElementArrays[Type] {
  return ArrayBuffer.isView(data) && (data as ElementArrays[Type])[Symbol.toStringTag] === arrayOf[type].name;
}

/**
 * Returns a rank's result as a tensor for the caller. The message has already crossed threads, so nobody else refers to
 * it.
 */
export function tensorFromMessage(name: string, message: TensorMessage): Tensor {
  if (isTensor(message)) return message;
  throw new RingrankError(
    "RR_TYPE",
    `output ${name}: expected ${message.type} elements for [${message.dims}], got a ` +
      `${message.data.constructor.name} of ${message.data.length}`,
  );
}

export function isTensorType(type: string): type is TensorType {
  return Object.hasOwn(arrayOf, type);
}
