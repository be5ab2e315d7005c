import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";
import { sameAsInput } from "./elementwise.js";

/** How a window slides over the spatial axes. Lists have an entry per axis. */
interface Sliding {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** All starts, then all ends. */
  readonly pads: readonly number[];
  readonly autoPad: string;
}

function slidingOf(node: NodeContext, window: readonly number[]): Sliding {
  const ones = window.map(() => 1);
  return {
    window,
    strides: node.ints("strides") ?? ones,
    dilations: node.ints("dilations") ?? ones,
    pads: node.ints("pads") ?? [...window, ...window].map(() => 0),
    autoPad: node.string("auto_pad", "NOTSET"),
  };
}

/**
 * The number of window positions along each axis. With `ceil`, one that extends beyond the end counts if it starts
 * inside.
 */
function places(node: NodeContext, sizes: readonly number[], sliding: Sliding, ceil = false): number[] {
  const counts = placesAlong(sizes, sliding, ceil);
  return counts.some((count) => count < 1) ? node.fail("an input that the window fits into") : counts;
}

function placesAlong(sizes: readonly number[], sliding: Sliding, ceil: boolean): number[] {
  const { window, strides, dilations, pads, autoPad } = sliding;
  return sizes.map((size, axis) => {
    const stride = strides[axis]!;
    if (autoPad.startsWith("SAME")) return Math.ceil(size / stride);
    const [before, after] = autoPad === "VALID" ? [0, 0] : [pads[axis]!, pads[sizes.length + axis]!];
    const reach = (window[axis]! - 1) * dilations[axis]! + 1;
    const steps = (size + before + after - reach) / stride;
    const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    return ceil && (count - 1) * stride >= size + before ? count - 1 : count;
  });
}

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
    return node.fail("an input and a kernel of the same rank, at least 2");
  }
  if (channels !== inPerGroup! * group || out % group !== 0) {
    node.fail(`${inPerGroup! * group} channels, and ${group} groups that divide ${out}`);
  }
  return [{ type, dims: [batch, out, ...places(node, spatial, slidingOf(node, window))] }];
};

/**
 * `[batch, in, …]` with a kernel `[in, out / group, …]` (https://onnx.ai/onnx/operators/onnx__ConvTranspose.html);
 * `output_shape` overrides the spatial sizes.
 */
const convTranspose: ShapeRule = (node) => {
  const { type, dims } = node.input(0);
  const group = node.int("group", 1);
  const [batch, channels, ...spatial] = dims;
  const [into, outPerGroup, ...window] = node.dims(1);
  if (batch === undefined || outPerGroup === undefined || spatial.length !== window.length) {
    return node.fail("an input and a kernel of the same rank, at least 2");
  }
  if (channels !== into || into! % group !== 0) node.fail(`${into} channels that ${group} groups divide`);
  const { strides, dilations, pads, autoPad } = slidingOf(node, window);
  const extra = node.ints("output_padding") ?? spatial.map(() => 0);
  const sizes = spatial.map((size, axis) => {
    const reach = (window[axis]! - 1) * dilations[axis]! + 1;
    const all = strides[axis]! * (size - 1) + extra[axis]! + reach;
    // ONNX Runtime crops a larger result to this size, but does not pad a smaller one, of a window smaller than its
    // stride.
    if (autoPad.startsWith("SAME")) return Math.min(size * strides[axis]!, all);
    return autoPad === "VALID" ? all : all - pads[axis]! - pads[spatial.length + axis]!;
  });
  return [{ type, dims: [batch, outPerGroup * group, ...(node.ints("output_shape") ?? sizes)] }];
};

/**
 * ONNX Runtime computes SAME padding of a pool as if its window were not dilated. So a dilated one has fewer positions.
 */
function poolSliding(sizes: readonly number[], sliding: Sliding): Sliding {
  const { window, strides, autoPad } = sliding;
  if (!autoPad.startsWith("SAME")) return sliding;
  const needed = sizes.map((size, axis) => {
    const stride = strides[axis]!;
    return Math.max((Math.ceil(size / stride) - 1) * stride + window[axis]! - size, 0);
  });
  const smaller = needed.map((pad) => Math.floor(pad / 2));
  const larger = needed.map((pad) => Math.ceil(pad / 2));
  const pads = autoPad === "SAME_UPPER" ? [...smaller, ...larger] : [...larger, ...smaller];
  return { ...sliding, pads, autoPad: "NOTSET" };
}

/** `[batch, channels, …]` with a window of `kernel_shape`; the second output has the indices of the maxima. */
const pool: ShapeRule = (node) => {
  const { type, dims } = node.input(0);
  const [batch, channels, ...spatial] = dims;
  const window = node.ints("kernel_shape") ?? node.fail("the attribute kernel_shape");
  if (window.length !== spatial.length) node.fail(`a window of ${spatial.length} axes`);
  const sliding = poolSliding(spatial, slidingOf(node, window));
  const sizes = places(node, spatial, sliding, node.int("ceil_mode", 0) === 1);
  const out = [batch!, channels!, ...sizes];
  return [
    { type, dims: out },
    { type: "int64", dims: out },
  ];
};

/** `[batch, channels, 1, …]`. */
const globalPool: ShapeRule = (node) => [
  { type: node.type(0), dims: node.dims(0).map((size, axis) => (axis < 2 ? size : 1)) },
];

/** Y and, in training, the running mean and variance. */
const batchNormalization: ShapeRule = (node) => [
  { type: node.type(0), dims: node.dims(0) },
  node.input(3),
  node.input(4),
];

/** With a scale and a shift per channel, or per group. */
const groupNormalization: ShapeRule = (node) => {
  const [, channels = 0] = node.dims(0);
  const groups = node.requiredInt("num_groups");
  if (channels % groups !== 0) node.fail(`channels that ${groups} groups divide`);
  for (const slot of [1, 2]) if (node.dims(slot).length !== 1) node.fail(`input ${slot} of one axis`);
  return sameAsInput(node);
};

/** Convolutions, pools and their normalizations: `[batch, channels, …]`. */
export const convolutionRules: ShapeRules = {
  Conv: conv,
  ConvInteger: (node) => conv(node).map(({ dims }) => ({ type: "int32", dims })),
  ConvTranspose: convTranspose,
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  GlobalMaxPool: globalPool,
  GlobalAveragePool: globalPool,
  GlobalLpPool: globalPool,
  BatchNormalization: batchNormalization,
  InstanceNormalization: sameAsInput,
  GroupNormalization: groupNormalization,
  LRN: sameAsInput,
};
