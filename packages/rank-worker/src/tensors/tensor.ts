import { RingrankError } from "@ringrank/errors";
import type { DataType, TensorData } from "@ringrank/model";
import type { TensorMessage } from "../protocol.js";
import { isDataType } from "./element-types.js";

/**
 * A rank's tensor, in the form that ONNX Runtime's native code accepts and, once told of this class, returns. The
 * runtime's own class has the same properties, but as accessors that native code has to call, and it validates all of
 * its parts. That is a quarter of the cost of a trivial run, dozens of times per token.
 */
export class Tensor {
  /** A `DataType`, or a type that no rank computes with: `string`. */
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TensorData | readonly string[];
  readonly location: string = "cpu";

  /** @param data neither copied nor checked against `dims`, which sessions do */
  constructor(type: string, data: TensorData | readonly string[], dims: readonly number[]) {
    this.type = type;
    this.dims = dims;
    this.data = data;
  }
}

/** A tensor on `data`, without a copy. `data` must not be in shared memory, which ONNX Runtime refuses. */
export function tensor(type: DataType, data: TensorData, dims: readonly number[]): Tensor {
  if (type === "bfloat16") {
    throw new RingrankError(
      "RR_TYPE",
      "bfloat16 values cannot be inputs or outputs of a session; cast them to float32",
    );
  }
  return new Tensor(type, data, dims);
}

/** The elements of a tensor in main memory. */
export function tensorData(value: Tensor): TensorData {
  if (Array.isArray(value.data)) {
    throw new RingrankError("RR_TYPE", "expected a tensor of numbers, got one of strings");
  }
  return value.data as TensorData;
}

export function fromMessage(message: TensorMessage): Tensor {
  return tensor(message.type, message.data, message.dims);
}

export function toMessage(value: Tensor): TensorMessage {
  if (!isDataType(value.type)) {
    throw new RingrankError("RR_TYPE", `expected a tensor of numbers, got one of ${value.type}`);
  }
  return { type: value.type, dims: value.dims, data: tensorData(value) };
}

export function sameSizes(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return false;
  // No closure, because the steps of a layer call this dozens of times per token.
  for (let axis = 0; axis < one.length; axis++) if (one[axis] !== other[axis]) return false;
  return true;
}
