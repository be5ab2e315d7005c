import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";

/**
 * Scales or sizes, for the axes in an attribute (opset 18) or for all
 * (https://onnx.ai/onnx/operators/onnx__Resize.html). ONNX Runtime multiplies in float32: 10 · 0.7f is 7.
 */
const resize: ShapeRule = (node) => {
  const { type, dims } = node.input(0);
  if (node.string("coordinate_transformation_mode", "") === "tf_crop_and_resize")
    return node.fail("a resize of the whole image, not of a region");
  const axes = [...node.axes(node.ints("axes") ?? [...dims.keys()], dims.length)];
  const given = node.optional(3);
  const isGiven = given !== undefined && given.dims[0] !== 0;
  const entries = isGiven ? node.contents(3, "sizes") : node.contents(2, "scales");
  if (entries.length !== axes.length) node.fail(`${axes.length} sizes or scales, not [${entries}]`);
  const resized = isGiven
    ? boundedSizes(node, axes, entries)
    : entries.map((scale, index) => Math.floor(Math.fround(dims[axes[index]!]! * scale)));
  const out = [...dims];
  axes.forEach((axis, index) => {
    out[axis] = resized[index]!;
  });
  return [{ type, dims: out }];
};

/** The given sizes, or, with the image's aspect ratio, the largest within them or the smallest beyond them. */
function boundedSizes(
  node: NodeContext,
  axes: readonly number[],
  sizes: readonly number[],
): readonly number[] {
  const policy = node.string("keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch") return sizes;
  const own = axes.map((axis) => node.dims(0)[axis]!);
  const ratios = sizes.map((size, index) => Math.fround(size / own[index]!));
  const ratio = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  return own.map((size) => Math.round(Math.fround(size * ratio)));
}

const depthToSpace: ShapeRule = (node) => {
  const { type, dims } = node.input(0);
  const [batch, channels, height, width] = dims;
  const side = node.requiredInt("blocksize");
  if (width === undefined) return node.fail("[batch, channels, height, width]");
  return [{ type, dims: [batch!, channels! / (side * side), height! * side, width * side] }];
};

const spaceToDepth: ShapeRule = (node) => {
  const { type, dims } = node.input(0);
  const [batch, channels, height, width] = dims;
  const side = node.requiredInt("blocksize");
  if (width === undefined) return node.fail("[batch, channels, height, width]");
  return [{ type, dims: [batch!, channels! * side * side, height! / side, width / side] }];
};

/** `[batch, channels, …]`, sampled at a grid `[batch, …, axes]`. */
const gridSample: ShapeRule = (node) => [
  { type: node.type(0), dims: [...node.dims(0).slice(0, 2), ...node.dims(1).slice(1, -1)] },
];

/** Operators on images, `[batch, channels, height, width]`. */
export const imageRules: ShapeRules = {
  Resize: resize,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  GridSample: gridSample,
};
