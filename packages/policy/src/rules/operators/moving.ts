import { intsAttribute } from "@ringrank/model";
import { type Dim, freshDim, sizeOf } from "../../factors/factor.js";
import { fromFront } from "../../graph/axis.js";
import { makeNode } from "../../graph/make-node.js";
import { isOne, quotient } from "../../shapes/size-pair.js";
import { indicesFrom } from "../indices.js";
import { retarget } from "../retarget.js";
import type { Operator, Rule, Rules } from "../rule.js";
import { wholeDim, wholeOutputs } from "../whole.js";

const transpose: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const turned = input.map((_, axis) => input.length - 1 - axis);
    const order = intsAttribute(operator.node, "perm") ?? turned;
    return [order.map((axis) => input[axis]!)];
  },
  linearity: { kind: "one", slots: [0] },
};

/** Repeats along dimensions of size 1. A target with fewer axes does not affect the first ones. */
const expand: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const out = operator.outputs[0]!.dims.map((size, axis, all) => {
      const mine = input[input.length - (all.length - axis)];
      return mine === undefined || isOne(sizeOf(mine)) ? freshDim(size) : mine;
    });
    return [out];
  },
  linearity: { kind: "one", slots: [0] },
  localize(operator, local) {
    const said = operator.inputs[1]!.dims[0]![0];
    return retarget(operator, local, 1, said === 0 ? [] : local.outputDims(0).slice(-said));
  },
};

/** Concatenates copies along an axis: the repeats are its major factor. */
const tile: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const sizes = operator.outputs[0]!.dims;
    const repeats = input.map((dim, axis): Dim => {
      const times = quotient(sizes[axis]!, sizeOf(dim));
      return times === undefined ? [] : freshDim(times);
    });
    factors.cut(repeats);
    return [input.map((dim, axis) => [...repeats[axis]!, ...dim])];
  },
  linearity: { kind: "one", slots: [0] },
  localize: (operator, local) => retarget(operator, local, 1, local.cut()),
};

/** One triangle of the last two axes, which stay whole. */
const trilu: Rule = {
  propagate(_operator, factors) {
    const input = factors.input(0);
    for (const dim of input.slice(-2)) factors.whole(dim, "cut along a diagonal");
    return [input];
  },
  linearity: { kind: "one", slots: [0] },
};

/** Padded axes stay whole; all axes do if the pads are only known at run time. */
const pad: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const sizes = operator.outputs[0]!.dims;
    const padded = paddedAxes(operator, input.length);
    const out = input.map((dim, axis): Dim => {
      if (padded !== undefined && !padded.has(axis)) return dim;
      factors.whole(dim, "padded");
      return wholeDim(sizes[axis]!, factors, "padded");
    });
    return [out];
  },
};

function paddedAxes({ node, inputs }: Operator, rank: number): Set<number> | undefined {
  const pads = intsAttribute(node, "pads") ?? inputs[1]?.contents?.map(([first, second]) => first || second);
  const axes = inputs[3] === undefined ? indicesFrom(0, rank) : inputs[3].contents?.map(([axis]) => axis);
  if (pads === undefined || axes === undefined) return undefined;
  const isPadded = (index: number): boolean => pads[index] !== 0 || pads[axes.length + index] !== 0;
  return new Set(axes.filter((_, index) => isPadded(index)).map((axis) => fromFront(axis, rank)));
}

/**
 * A value that every rank has whole, for a reader without a rule: gathered between segments if it is sharded, otherwise
 * unchanged.
 */
const whole: Rule = {
  propagate: (operator, factors) =>
    wholeOutputs(operator, factors, "gathered for an operator without a rule"),
  localize(_operator, local) {
    if (local.inputDims(0).some((dim) => local.isSharded(dim))) return [];
    return [makeNode("Identity", [local.input(0)], local.output(0))];
  },
};

export const movingRules: Rules = {
  Transpose: transpose,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  Trilu: trilu,
  "ringrank::Whole": whole,
};
