import { type Attributes, microsoft } from "../test-graph.js";
import { type Apply, along, float, type Size, unchanged } from "./tensor.js";

/** Some axes, at least one, chosen by the bits of a number. */
function someAxes(rank: number, by: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => ((by >> axis) & 1) === 1);
  return axes.length === 0 && rank > 0 ? [by % rank] : axes;
}

/** Reductions over axes of known size, optionally combined with their operand by broadcast. */
const reduced =
  (operator: string, isBroadcastBack = false): Apply =>
  (given) => {
    const { g, x, one, two } = given;
    const axes = someAxes(x.dims.length, one).filter((axis) => typeof x.dims[axis] === "number");
    if (axes.length === 0) return unchanged(given);
    const keep = isBroadcastBack || two % 2 === 0;
    const counted = two % 4 < 2 ? axes : axes.map((axis) => axis - x.dims.length);
    const value = g.apply(operator, [x.value, g.integers(counted)], { keepdims: keep ? 1 : 0 });
    const dims = x.dims.flatMap((size, axis): Size[] => (!axes.includes(axis) ? [size] : keep ? [1] : []));
    if (!isBroadcastBack) return { value, dims };
    const made =
      two % 3 === 0 ? g.sub(x.value, value) : two % 3 === 1 ? g.mul(value, x.value) : g.add(value, x.value);
    return { value: made, dims: x.dims };
  };

/** Operators along axes: reductions, running sums, norms. */
export const axes = {
  sum: reduced("ReduceSum"),
  "sum, broadcast back": reduced("ReduceSum", true),
  mean: reduced("ReduceMean"),
  "mean, broadcast back": reduced("ReduceMean", true),
  largest: reduced("ReduceMax"),
  "largest, broadcast back": reduced("ReduceMax", true),
  "sum of squares": reduced("ReduceSumSquare"),
  length: reduced("ReduceL2"),
  "sum of sizes": reduced("ReduceL1"),
  "log of a sum": reduced("ReduceLogSumExp"),
  softmax: along(({ g, x }, axis) => ({ value: g.apply("Softmax", [x.value], { axis }), dims: x.dims })),
  "softmax from behind": along(({ g, x }, axis) => ({
    value: g.apply("LogSoftmax", [x.value], { axis: axis - x.dims.length }),
    dims: x.dims,
  })),
  "length one": along(({ g, x, two }, axis) => ({
    value: g.apply("LpNormalization", [g.add(x.value, g.numbers([2]))], { axis, p: 1 + (two % 2) }),
    dims: x.dims,
  })),
  "running sum": along(({ g, x, two }, axis) => ({
    value: g.apply("CumSum", [x.value, g.integer(two % 2 === 0 ? axis : axis - x.dims.length)], {
      exclusive: (two >> 1) & 1,
      reverse: (two >> 2) & 1,
    }),
    dims: x.dims,
  })),
  "greatest few": along(({ g, x, two }, axis, size) => {
    const count = 1 + (two % size);
    const [values] = g.applyAll("TopK", [x.value, g.integers([count])], 2, { axis, largest: (two >> 2) & 1 });
    return { value: values!, dims: x.dims.with(axis, count) };
  }),
  "places of the greatest": along(({ g, x }, axis) => ({
    value: g.mul(g.cast(g.apply("ArgMax", [x.value], { axis }), "float32"), g.numbers([0.1])),
    dims: x.dims.with(axis, 1),
  })),
  normalized: (given) => {
    const { g, x, one, two } = given;
    const known = x.dims.findLastIndex((size) => typeof size !== "number") + 1;
    if (known >= x.dims.length) return unchanged(given);
    const axis = known + (one % (x.dims.length - known));
    const dims = x.dims.slice(axis) as number[];
    const attributes: Attributes = { axis: axis - x.dims.length, epsilon: float(1e-2) };
    const value =
      two % 3 === 0
        ? g.apply("RMSNormalization", [x.value, g.parameter(dims)], attributes)
        : g.apply(
            "LayerNormalization",
            [x.value, g.parameter(dims), ...(two % 3 === 1 ? [g.parameter(dims)] : [])],
            attributes,
          );
    return { value, dims: x.dims };
  },
  "a sum normalized": (given) => {
    const { g, x, two } = given;
    const width = x.dims.at(-1);
    if (typeof width !== "number" || (x.dims.length !== 3 && x.dims.length !== 2)) return unchanged(given);
    const skip = two % 2 === 0 ? x.value : g.tanh(x.value);
    const others = [0, 1, 2].slice(0, 1 + (two % 3)).map(() => g.parameter([width]));
    const outputs = g.applyAll(`SkipLayerNormalization@${microsoft}`, [x.value, skip, ...others], 4, {
      epsilon: float(1e-2),
    });
    return { value: (two >> 2) % 2 === 0 ? outputs[0]! : g.add(outputs[0]!, outputs[3]!), dims: x.dims };
  },
} satisfies Record<string, Apply>;
