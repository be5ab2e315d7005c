import { RingrankError } from "@ringrank/errors";
import type { DataType, TensorData } from "@ringrank/model";
import { Tensor } from "onnxruntime-node";
import type { TensorMessage } from "../protocol.js";
import { isDataType } from "./element-types.js";

/** A tensor over `data`, not copied. `data` may not lie in shared memory: ONNX Runtime refuses it. */
export function tensor(type: DataType, data: TensorData, dims: readonly number[]): Tensor {
  if (type === "bfloat16") {
    throw new RingrankError(
      "RR_TYPE",
      "bfloat16 values cannot enter or leave a session; cast them to float32",
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
