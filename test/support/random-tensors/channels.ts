import type { Attributes } from "../test-graph.js";
import { type Apply, along, divisors, float, mostElements, pick, product, unchanged } from "./tensor.js";

/** Operators of images and signals, whose second axis holds the channels. */
export const channels = {
  "normalized by groups": (given) => {
    const { g, x, one, two } = given;
    const [, channels] = x.dims;
    if (x.dims.length < 3 || typeof channels !== "number") return unchanged(given);
    const groups = pick(divisors(channels), one);
    const figures = [0, 1].map(() => g.parameter([channels]));
    if (two % 3 === 0)
      return {
        value: g.apply("InstanceNormalization", [x.value, ...figures], { epsilon: float(1e-2) }),
        dims: x.dims,
      };
    if (two % 3 === 1)
      return {
        value: g.apply("GroupNormalization", [x.value, ...figures], {
          num_groups: groups,
          epsilon: float(1e-2),
        }),
        dims: x.dims,
      };
    const [mean, variance] = [g.parameter([channels]), g.scales([channels], 1)];
    return { value: g.apply("BatchNormalization", [x.value, ...figures, mean, variance]), dims: x.dims };
  },
  convolved: (given) => {
    const { g, x, one, two } = given;
    const [, channels, ...space] = x.dims;
    if (typeof channels !== "number" || space.length < 1 || space.length > 2) return unchanged(given);
    const group = pick(divisors(channels), one);
    const outputs = group * (1 + (two % 3));
    if ((product(x.dims) / channels) * outputs > mostElements) return unchanged(given);
    const pads = [...space, ...space].map(() => 1);
    const weight = g.parameter([outputs, channels / group, ...space.map(() => 3)], 0.5);
    const inputs = [x.value, weight, ...(two % 2 === 0 ? [g.parameter([outputs])] : [])];
    return { value: g.apply("Conv", inputs, { group, pads }), dims: [x.dims[0]!, outputs, ...space] };
  },
  "convolved back": (given) => {
    const { g, x, one, two } = given;
    const [, channels, ...space] = x.dims;
    if (typeof channels !== "number" || space.length < 1 || space.length > 2) return unchanged(given);
    const group = pick(divisors(channels), one);
    const outputs = 1 + (two % 3);
    if ((product(x.dims) / channels) * outputs * group > mostElements) return unchanged(given);
    const pads = [...space, ...space].map(() => 1);
    const weight = g.parameter([channels, outputs, ...space.map(() => 3)], 0.5);
    const inputs = [x.value, weight, ...(two % 2 === 0 ? [g.parameter([outputs * group])] : [])];
    return {
      value: g.apply("ConvTranspose", inputs, { group, pads }),
      dims: [x.dims[0]!, outputs * group, ...space],
    };
  },
  pooled: (given) => {
    const { g, x, two } = given;
    if (x.dims.length !== 4) return unchanged(given);
    const kernel = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    if (two % 3 === 0) return { value: g.apply("MaxPool", [x.value], kernel), dims: x.dims };
    if (two % 3 === 1)
      return {
        value: g.apply("AveragePool", [x.value], { ...kernel, count_include_pad: two % 2 }),
        dims: x.dims,
      };
    return { value: g.apply("GlobalAveragePool", [x.value]), dims: [...x.dims.slice(0, 2), 1, 1] };
  },
  "channels laid out": (given) => {
    const { g, x, two } = given;
    const [, channels, height, width] = x.dims;
    if (x.dims.length !== 4 || [channels, height, width].some((size) => typeof size !== "number"))
      return unchanged(given);
    const sizes = [channels, height, width] as [number, number, number];
    if (sizes[0] % 4 === 0) {
      const value = g.apply("DepthToSpace", [x.value], { blocksize: 2, mode: two % 2 === 0 ? "CRD" : "DCR" });
      return { value, dims: [x.dims[0]!, sizes[0] / 4, 2 * sizes[1], 2 * sizes[2]] };
    }
    if (sizes[1] % 2 > 0 || sizes[2] % 2 > 0) return unchanged(given);
    const value = g.apply("SpaceToDepth", [x.value], { blocksize: 2 });
    return { value, dims: [x.dims[0]!, 4 * sizes[0], sizes[1] / 2, sizes[2] / 2] };
  },
  resized: along(({ g, x, two }, axis, size) => {
    if (product(x.dims) * 2 > mostElements || x.dims.length > 4 || x.dims.length < 2) return x;
    const scales = g.numbers(
      x.dims.map((_, at) => (at === axis ? 2 : 1)),
      [x.dims.length],
    );
    const attributes: Attributes = {
      mode: "nearest",
      nearest_mode: pick(["floor", "ceil"], two),
      coordinate_transformation_mode: "asymmetric",
    };
    return {
      value: g.apply("Resize", [x.value, undefined, scales], attributes),
      dims: x.dims.with(axis, 2 * size),
    };
  }),
} satisfies Record<string, Apply>;
