import { elementCount } from "../tensors/element-types.js";

/** Sizes as a Reshape takes them: 0 stands for the size that was there, −1 for what is left. */
export function reshapedSizes(dims: readonly number[], target: Iterable<number>): number[] {
  const sizes = Array.from(target, (size, axis) => (size === 0 ? (dims[axis] ?? 0) : size));
  const open = sizes.indexOf(-1);
  return open < 0 ? sizes : sizes.with(open, elementCount(dims) / -elementCount(sizes));
}

/** With axes of size 1 at these places of the result; negative ones count from its end. */
export function unsqueezedSizes(dims: readonly number[], axes: Iterable<number>): number[] {
  const given = [...axes];
  const length = dims.length + given.length;
  const added = new Set(given.map((axis) => (axis < 0 ? axis + length : axis)));
  const rest = dims.values();
  return Array.from({ length }, (_, axis) => (added.has(axis) ? 1 : rest.next().value!));
}
