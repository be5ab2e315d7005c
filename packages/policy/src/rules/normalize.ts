import { intAttribute, intsAttribute } from "@ringrank/model";
import { type Dim, freshDim } from "../factors/factor.js";
import { axisOf, fromFront } from "../graph/axis.js";
import { broadcast } from "./elementwise.js";
import { freshOutputs } from "./matmul.js";
import type { Operator, Propagation, Rule } from "./rule.js";
import { wholeDim } from "./whole-dim.js";

/** Operators that work along an axis, so that every rank needs all of it. */
function wholeAxis(why: string, defaultAxis: number): Rule {
  return {
    propagate(operator, factors) {
      const input = factors.input(0);
      const axis = axisOf(operator.node, defaultAxis, input.length);
      factors.whole(input[axis]!, why);
      return [input];
    },
  };
}

/** Normalizes over all axes from `axis` on; scale and bias broadcast to the input, right-aligned. */
const layerNorm: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const axis = axisOf(operator.node, -1, input.length);
    for (const dim of input.slice(axis)) factors.whole(dim, "normalized over");
    for (const slot of [1, 2])
      if (operator.inputs[slot] !== undefined) broadcast([input, factors.input(slot)], factors);
    const statistics = input.map((dim, index) => (index < axis ? dim : []));
    return operator.outputs.map((_, index) => (index === 0 ? input : statistics));
  },
};

/** Over the axes in an attribute: by default all except the channels. */
const meanVariance: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    for (const axis of intsAttribute(operator.node, "axes") ?? [0, 2, 3])
      factors.whole(input[fromFront(axis, input.length)]!, "normalized over");
    return [input];
  },
};

/** CumSum along the axis that its second input names. */
const cumSum: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const axis = operator.inputs[1]?.contents?.[0]?.[0];
    if (axis === undefined)
      for (const dim of input) factors.whole(dim, "summed along an axis known only when running");
    else factors.whole(input[fromFront(axis, input.length)]!, "summed along");
    return [input];
  },
};

/** Whether a reduction adds over its axes, and is linear; other reductions need their axes whole. */
type Reduction = "sum" | "sum of a function" | "other";

/** Reductions. Those that add contract their axes. */
function reduce(kind: Reduction): Rule {
  return {
    propagate(operator, factors) {
      const input = factors.input(0);
      const axes = reducedAxes(operator, input.length);
      if (axes === undefined) {
        for (const dim of input) factors.whole(dim, "reduced along axes known only when running");
        return freshOutputs(operator, factors, "reduced along axes known only when running");
      }
      for (const axis of axes) {
        if (kind === "other") factors.whole(input[axis]!, "reduced over");
        else factors.contract(input[axis]!);
      }
      const keep = intAttribute(operator.node, "keepdims", 1) !== 0;
      return [input.flatMap((dim, axis): Dim[] => (!axes.has(axis) ? [dim] : keep ? [[]] : []))];
    },
    ...(kind === "sum" ? { linearity: { kind: "one", slots: [0] } as const } : {}),
  };
}

function reducedAxes(operator: Operator, rank: number): Set<number> | undefined {
  const { node, inputs } = operator;
  const listed = intsAttribute(node, "axes") ?? inputs[1]?.contents?.map(([axis]) => axis);
  if (listed === undefined && inputs[1] !== undefined) return undefined;
  if (listed !== undefined && listed.length > 0) return new Set(listed.map((axis) => fromFront(axis, rank)));
  const none = intAttribute(node, "noop_with_empty_axes", 0) !== 0;
  return new Set(none ? [] : Array.from({ length: rank }, (_, axis) => axis));
}

/**
 * A norm over the last axis that first adds its inputs: `norm(input + skip + bias)`. Outputs: the result, two
 * statistics, and the sum.
 *
 * @param vectors slots of `[width]` inputs: scale, shift, bias
 */
function skipNorm(vectors: readonly number[]): Rule {
  return {
    propagate(operator, factors) {
      const input = factors.input(0);
      factors.whole(input.at(-1)!, "normalized over");
      broadcast([input, factors.input(1)], factors);
      for (const slot of vectors)
        if (operator.inputs[slot] !== undefined) factors.unify(factors.input(slot)[0]!, input.at(-1)!);
      const statistics = [...input.slice(0, -1), []];
      return operator.outputs.map((_, index) => (index === 1 || index === 2 ? statistics : input));
    },
  };
}

/** The largest elements along an axis, and their indices. */
const topK: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const axis = axisOf(operator.node, -1, input.length);
    factors.whole(input[axis]!, "searched for the largest");
    const size = operator.outputs.find((output) => output !== undefined)!.dims[axis]!;
    const chosen = wholeDim(size, factors, "the largest of another dimension");
    const out = input.map((dim, index) => (index === axis ? chosen : dim));
    return operator.outputs.map(() => out);
  },
};

/** Outputs that are related to no input: small integers for shapes. */
const unrelated: Rule = {
  propagate: (operator: Operator, factors: Propagation) =>
    freshOutputs(operator, factors, "counted, not computed from"),
};

/** A constant, which may be divided freely. */
const constant: Rule = {
  propagate: (operator) => [operator.outputs[0]!.dims.map(freshDim)],
};

export const normalizeRules: Readonly<Record<string, Rule>> = {
  Softmax: wholeAxis("normalized over", -1),
  LogSoftmax: wholeAxis("normalized over", -1),
  LayerNormalization: layerNorm,
  RMSNormalization: layerNorm,
  SimplifiedLayerNormalization: layerNorm,
  LpNormalization: wholeAxis("normalized over", -1),
  MeanVarianceNormalization: meanVariance,
  CumSum: cumSum,
  ReduceSum: reduce("sum"),
  ReduceMean: reduce("other"),
  ReduceMax: reduce("other"),
  ReduceMin: reduce("other"),
  ReduceProd: reduce("other"),
  ReduceL1: reduce("sum of a function"),
  ReduceL2: reduce("other"),
  ReduceLogSum: reduce("other"),
  ReduceLogSumExp: reduce("other"),
  ReduceSumSquare: reduce("sum of a function"),
  TopK: topK,
  "com.microsoft::SimplifiedLayerNormalization": layerNorm,
  "com.microsoft::SkipLayerNormalization": skipNorm([2, 3, 4]),
  "com.microsoft::SkipSimplifiedLayerNormalization": skipNorm([2, 3]),
  Range: unrelated,
  Constant: constant,
};
