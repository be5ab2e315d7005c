import { broadcast } from "../broadcast.js";
import { hasContents } from "../evaluated.js";
import type { ShapeRule, ShapeRules } from "../node-context.js";
import { readBroadcast, readView, rowMajorStrides } from "../strides.js";

const transpose: ShapeRule = (node) => {
  const { type, dims: from, contents } = node.input(0);
  const order = node.ints("perm") ?? from.map((_, axis) => from.length - 1 - axis);
  if (order.length !== from.length || from.some((_, axis) => !order.includes(axis))) {
    node.fail(`perm to order the ${from.length} axes, counted from the front, not [${order}]`);
  }
  const dims = order.map((axis) => from[axis]!);
  if (contents === undefined) return [{ type, dims }];
  const strides = rowMajorStrides(from);
  return [
    {
      type,
      dims,
      contents: readView(
        contents,
        dims,
        order.map((axis) => strides[axis]!),
      ),
    },
  ];
};

/** Broadcasts in both directions: the target may have size 1 where the input has more. */
const expand: ShapeRule = (node) => {
  const { type, dims: from, contents } = node.input(0);
  const dims = broadcast(node, from, node.contents(1, "shape"));
  if (contents === undefined || !hasContents(type, dims)) return [{ type, dims }];
  return [{ type, dims, contents: readBroadcast(contents, from, dims) }];
};

const tile: ShapeRule = (node) => {
  const { type, dims: from, contents } = node.input(0);
  const repeats = node.contents(1, "repeats");
  if (repeats.length !== from.length) node.fail(`${from.length} repeats, not [${repeats}]`);
  const dims = from.map((size, axis) => size * repeats[axis]!);
  if (contents === undefined || !hasContents(type, dims)) return [{ type, dims }];
  // Each axis as [repeat, size], where the repeat has stride 0 in the source.
  const strides = rowMajorStrides(from).flatMap((stride) => [0, stride]);
  const view = from.flatMap((size, axis) => [repeats[axis]!, size]);
  return [{ type, dims, contents: readView(contents, view, strides) }];
};

/** Pads are all starts, then all ends, of the given axes (opset 18) or of all. Negative pads crop. */
const pad: ShapeRule = (node) => {
  const { type, dims: from } = node.input(0);
  const pads = node.ints("pads") ?? node.contents(1, "pads");
  const listed = node.optional(3) === undefined ? from.map((_, axis) => axis) : node.contents(3, "axes");
  if (pads.length !== 2 * listed.length) node.fail(`${2 * listed.length} pads, not [${pads}]`);
  const dims = [...from];
  listed.forEach((axis, i) => {
    dims[node.axis(axis, from.length)]! += pads[i]! + pads[listed.length + i]!;
  });
  return [{ type, dims }];
};

/** Operators that reorder or repeat elements. */
export const movingRules: ShapeRules = {
  Transpose: transpose,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  "ringrank::Whole": (node) => [node.input(0)],
  Trilu: (node) => [{ type: node.type(0), dims: node.dims(0) }],
};
