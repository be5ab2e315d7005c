import { sameSizes, type Tensor } from "../tensors/tensor.js";

/**
 * What a segment that works element by element is fed, if that is float32 of one shape, which all that it makes has,
 * too; else undefined: then only the session's operators know how to join the shapes.
 *
 * @param indices into the table
 */
export function valuesOfOneShape(
  table: readonly (Tensor | undefined)[],
  indices: readonly number[],
): readonly [Tensor, ...Tensor[]] | undefined {
  const [first, ...others] = indices.map((index) => table[index]);
  const dims = first?.dims;
  const isAlike = (value: Tensor | undefined): value is Tensor =>
    value?.data instanceof Float32Array && dims !== undefined && sameSizes(value.dims, dims);
  return isAlike(first) && others.every(isAlike) ? [first, ...others] : undefined;
}
