import { elementCount } from "@ringrank/model/weights";

/** The sizes that result from a Reshape: 0 keeps a size, and −1 is the remaining one. */
export function reshapedSizes(dims: readonly number[], target: Iterable<number>): number[] {
  const sizes = Array.from(target, (size, axis) => (size === 0 ? (dims[axis] ?? 0) : size));
  const open = sizes.indexOf(-1);
  return open < 0 ? sizes : sizes.with(open, elementCount(dims) / -elementCount(sizes));
}

/** Inserts axes of size 1 at these positions of the result; negative ones count from its end. */
export function unsqueezedSizes(dims: readonly number[], axes: Iterable<number>): number[] {
  const given = [...axes];
  const length = dims.length + given.length;
  const added = new Set(given.map((axis) => (axis < 0 ? axis + length : axis)));
  const rest = dims.values();
  return Array.from({ length }, (_, axis) => (added.has(axis) ? 1 : rest.next().value!));
}
