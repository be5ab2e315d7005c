import type { Table } from "../tensors/table.js";
import { sameSizes, type Tensor } from "../tensors/tensor.js";

/**
 * The inputs of an elementwise segment, if they are float32 and have the same shape, which its results then have too.
 * Otherwise undefined, since only the session's operators can broadcast shapes.
 *
 * @param indices into the table
 */
export function valuesOfOneShape(
  table: Readonly<Table>,
  indices: readonly number[],
): readonly [Tensor, ...Tensor[]] | undefined {
  const [first, ...others] = indices.map((index) => table[index]);
  const dims = first?.dims;
  const isAlike = (value: Tensor | undefined): value is Tensor =>
    value?.data instanceof Float32Array && dims !== undefined && sameSizes(value.dims, dims);
  return isAlike(first) && others.every(isAlike) ? [first, ...others] : undefined;
}
