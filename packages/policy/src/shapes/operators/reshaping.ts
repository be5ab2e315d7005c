import { elementCount } from "@ringrank/model/weights";
import type { Evaluated } from "../evaluated.js";
import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";

/** The same elements in the same order, in another shape. */
function reshaped(node: NodeContext, dims: readonly number[]): readonly Evaluated[] {
  const { type, contents } = node.input(0);
  return [{ type, dims, contents }];
}

/** 0 copies the input's size (unless allowzero), −1 stands for the remaining size. */
const reshape: ShapeRule = (node) => {
  const from = node.dims(0);
  const target = node.ints("shape") ?? node.contents(1, "shape");
  const copiesZero = node.int("allowzero", 0) === 0;
  const dims = target.map((size, axis) =>
    size === 0 && copiesZero ? (from[axis] ?? node.fail(`an axis ${axis} for the 0 in [${target}]`)) : size,
  );
  const total = elementCount(from);
  const free = dims.indexOf(-1);
  if (free >= 0) {
    dims[free] = 1;
    const rest = elementCount(dims);
    dims[free] = rest === 0 ? 0 : total / rest;
  }
  if (elementCount(dims) !== total || dims.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    node.fail(`[${target}] to hold ${total} elements`);
  }
  return reshaped(node, dims);
};

const flatten: ShapeRule = (node) => {
  const dims = node.dims(0);
  const axis = node.int("axis", 1);
  const cut = axis === dims.length ? axis : node.axis(axis, Math.max(dims.length, 1));
  return reshaped(node, [elementCount(dims.slice(0, cut)), elementCount(dims.slice(cut))]);
};

/**
 * Axes are an attribute before opset 13. Without axes, or in ONNX Runtime with an empty list, all axes of size 1 are
 * removed.
 */
const squeeze: ShapeRule = (node) => {
  const dims = node.dims(0);
  const listed = node.ints("axes") ?? (node.optional(1) && node.contents(1, "axes"));
  if (listed === undefined || listed.length === 0)
    return reshaped(
      node,
      dims.filter((size) => size !== 1),
    );
  const axes = node.axes(listed, dims.length);
  for (const axis of axes) if (dims[axis] !== 1) node.fail(`axis ${axis} to have size 1`);
  return reshaped(
    node,
    dims.filter((_, axis) => !axes.has(axis)),
  );
};

/** Axes refer to the output's shape. */
const unsqueeze: ShapeRule = (node) => {
  const dims = node.dims(0);
  const listed = node.ints("axes") ?? node.contents(1, "axes");
  const rank = dims.length + listed.length;
  const axes = node.axes(listed, rank);
  let from = 0;
  return reshaped(
    node,
    Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : dims[from++]!)),
  );
};

/** Operators that keep the order of elements and change the shape. */
export const reshapingRules: ShapeRules = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
};
