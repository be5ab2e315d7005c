import { intAttribute, intsAttribute } from "@ringrank/model";
import type { Dim } from "../../factors/factor.js";
import { axisOf, fromFront } from "../../graph/axis.js";
import type { Operator, Rule, Rules } from "../rule.js";
import { wholeDim, wholeOutputs } from "../whole.js";

/** Operators that normalize along an axis, the last one by default, so that every rank needs all of it. */
export const normalizing: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    factors.whole(input[axisOf(operator.node, -1, input.length)]!, "normalized over");
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
        return wholeOutputs(operator, factors, "reduced along axes known only when running");
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

/** The position of the maximum or minimum along an axis, which stays whole. */
const argument: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const axis = axisOf(operator.node, 0, input.length);
    factors.whole(input[axis]!, "compared along");
    const keep = intAttribute(operator.node, "keepdims", 1) !== 0;
    return [input.flatMap((dim, index): Dim[] => (index !== axis ? [dim] : keep ? [[]] : []))];
  },
};

export const reductionRules: Rules = {
  Softmax: normalizing,
  LogSoftmax: normalizing,
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
  ArgMax: argument,
  ArgMin: argument,
  TopK: topK,
};
