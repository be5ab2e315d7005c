import type { TensorData } from "@ringrank/model";
import { allocate } from "@ringrank/model/weights";

/** A tensor between steps, as in the table of a rank. */
export interface EmulatedTensor {
  readonly type: "float32" | "int64" | "bool" | "int32" | "uint8" | "int8" | "float16";
  readonly dims: readonly number[];
  readonly data: TensorData;
}

export function zeros(type: EmulatedTensor["type"], dims: readonly number[]): EmulatedTensor {
  const count = dims.reduce((product, size) => product * size, 1);
  return { type, dims, data: allocate(type, count) };
}
