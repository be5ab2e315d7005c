import type { ShapeRule, ShapeRules } from "../node-context.js";

/**
 * `[batch, in, …]` with a kernel `[out, in / group, …]` over any number of spatial axes
 * (https://onnx.ai/onnx/operators/onnx__Conv.html).
 */
const conv: ShapeRule = (node) => {
  const { type, dims } = node.input(0);
  const kernel = node.dims(1);
  const group = node.int("group", 1);
  const [batch, channels, ...spatial] = dims;
  const [out, inPerGroup, ...window] = kernel;
  if (batch === undefined || out === undefined || spatial.length !== window.length) {
    return node.fail("an input and a kernel of one rank, at least 2");
  }
  if (channels !== inPerGroup! * group) node.fail(`${inPerGroup! * group} channels`);
  const strides = node.ints("strides") ?? spatial.map(() => 1);
  const dilations = node.ints("dilations") ?? spatial.map(() => 1);
  const pads = node.ints("pads") ?? [...spatial, ...spatial].map(() => 0);
  const autoPad = node.string("auto_pad", "NOTSET");
  const sizes = spatial.map((size, axis) => {
    if (autoPad.startsWith("SAME")) return Math.ceil(size / strides[axis]!);
    const padding = autoPad === "VALID" ? 0 : pads[axis]! + pads[spatial.length + axis]!;
    const reach = (window[axis]! - 1) * dilations[axis]! + 1;
    return Math.floor((size + padding - reach) / strides[axis]!) + 1;
  });
  return [{ type, dims: [batch, out, ...sizes] }];
};

/** Convolutions. */
export const convolutionRules: ShapeRules = { Conv: conv };
