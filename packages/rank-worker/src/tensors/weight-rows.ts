import type { TensorData } from "@ringrank/model";
import { elementCount } from "@ringrank/model/weights";
import { type Tensor, tensorData } from "./tensor.js";

/** The rows of a weight, along its first axis. */
export interface WeightRows {
  /** Of the weight. */
  readonly dims: readonly number[];
  /**
   * Copies the elements of a row.
   *
   * @param into an array for elements of the weight's type, which receives them from index `at` on
   */
  copy(row: number, into: TensorData, at: number): void;
}

/** The rows of a weight in memory. */
export function rowsInMemory(weight: Tensor): WeightRows {
  const { dims } = weight;
  // Of one type, so that their arrays are of one type as well.
  const data = tensorData(weight) as Float32Array;
  const width = elementCount(dims.slice(1));
  return {
    dims,
    copy: (row, into, at) => {
      (into as Float32Array).set(data.subarray(row * width, (row + 1) * width), at);
    },
  };
}
