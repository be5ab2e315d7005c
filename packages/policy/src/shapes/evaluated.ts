import type { DataType } from "@ringrank/model";
import { elementCount } from "@ringrank/model/weights";

/** A value of the graph at one setting of the symbolic dimensions. */
export interface Evaluated {
  readonly type: DataType;
  readonly dims: readonly number[];
  /**
   * The elements, row-major, if they follow from shapes and constants alone and are at most {@link maxContents}; bool
   * as 0 and 1, float32 rounded to float32, float16 and bfloat16 never. An integer beyond ±(2⁵³ − 1), such as the
   * INT64_MAX that ends a Slice, is ±Infinity: a bound, never a size.
   */
  readonly contents?: readonly number[] | undefined;
}

/** The largest tensor, in elements, whose contents are propagated. */
export const maxContents = 4096;

/** Whether contents of this type and shape are propagated. Never if a size is invalid, such as −1 or Infinity. */
export function hasContents(type: DataType, dims: readonly number[]): boolean {
  if (type === "float16" || type === "bfloat16") return false;
  for (const dim of dims) if (!Number.isInteger(dim) || dim < 0) return false;
  return elementCount(dims) <= maxContents;
}

/** `type[d0,d1,…]`, as error messages show a value. */
export function describe(value: Evaluated | undefined): string {
  return value === undefined ? "(left out)" : `${value.type}[${value.dims.join(",")}]`;
}
