import { type ConstantTensor, toInt64, type Weight } from "@ringrank/model";

/** An int64 constant; see {@link toInt64}. */
export function int64Tensor(
  values: readonly number[],
  dims: readonly number[] = [values.length],
): ConstantTensor {
  return { type: "int64", dims, data: BigInt64Array.from(values, toInt64) };
}

export function float32Scalar(value: number): ConstantTensor {
  return { type: "float32", dims: [], data: Float32Array.of(value) };
}

/** A constant as a weight that the graph itself contains. */
export function inlineWeight({ type, dims, data }: ConstantTensor): Weight {
  return { type, dims, source: { kind: "inline", data } };
}
