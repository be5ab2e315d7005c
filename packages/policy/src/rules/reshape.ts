import { type ConstantTensor, type GraphNode, intsAttribute } from "@ringrank/model";
import { type Dim, freshDim, isOne, isStatic, quotient, type SizePair, sizeOf } from "../factors/factor.js";
import { fromFront } from "../graph/axis.js";
import { int64Tensor } from "../graph/constants.js";
import { makeNode } from "../graph/make-node.js";
import { indicesFrom } from "./indices.js";
import type { Localization, Operator, Rule } from "./rule.js";
import { wholeDim } from "./whole-dim.js";

/**
 * Operators that keep the elements in order and only regroup them: the product of all input dimensions is the
 * product of all output dimensions, matched from both ends.
 */
function regroup(targetSlot?: number): Rule {
  return {
    propagate(operator, factors) {
      const out = operator.outputs[0]!.dims.map(freshDim);
      factors.unify(factors.input(0).flat(), out.flat());
      return [out];
    },
    linearity: { kind: "one", slots: [0] },
    ...(targetSlot === undefined
      ? {}
      : { localize: (operator, local) => retarget(operator, local, targetSlot) }),
  };
}

/**
 * A node whose input `slot` spells out its output shape, with the sharded sizes made local. Shape arithmetic stays
 * global, so a computed target is scaled where it is consumed; −1, 0 and broadcast 1 stay.
 *
 * @param outputs the dimensions that the input spells out
 */
export function retarget(
  operator: Operator,
  local: Localization,
  slot: number,
  outputs: readonly Dim[] = local.outputDims(0),
): GraphNode[] {
  const { node } = operator;
  const inputs = node.inputs.map((_, index) => local.input(index));
  const target = operator.inputs[slot];
  if (!outputs.some((dim) => local.isSharded(dim)) || target === undefined)
    return [rename(node, inputs, local)];
  const contents = target.contents;
  const entries = outputs.map((dim, axis) => entry(dim, contents?.[axis], local));
  const before: GraphNode[] = [];
  if (contents !== undefined && entries.every((one) => one.fixed !== undefined)) {
    inputs[slot] = local.constant(int64Tensor(entries.map((one) => one.fixed!)));
  } else {
    const scaled = local.value();
    const up = local.constant(int64Tensor(entries.map((one) => one.times)));
    const down = local.constant(int64Tensor(entries.map((one) => one.by)));
    const whole = local.value();
    before.push(makeNode("Mul", [local.input(slot), up], whole), makeNode("Div", [whole, down], scaled));
    inputs[slot] = scaled;
  }
  return [...before, rename(node, inputs, local)];
}

/** One entry of a target: its local value if that is known during planning, and the ratio by which it is scaled. */
function entry(
  dim: Dim,
  content: SizePair | undefined,
  local: Localization,
): { fixed?: number; times: number; by: number } {
  const placeholder = content !== undefined && isStatic(content) && content[0] <= 0;
  if (placeholder || !local.isSharded(dim)) {
    return { times: 1, by: 1, ...(content !== undefined && isStatic(content) ? { fixed: content[0] } : {}) };
  }
  if (content !== undefined && isOne(content)) return { fixed: 1, times: 1, by: 1 };
  const size = local.size(dim);
  const whole = sizeOf(dim);
  const ratio = { times: size[0], by: whole[0] };
  return isStatic(size) && content !== undefined && isStatic(content) ? { ...ratio, fixed: size[0] } : ratio;
}

function rename(node: GraphNode, inputs: readonly string[], local: Localization): GraphNode {
  return { ...node, inputs, outputs: node.outputs.map((_, index) => local.output(index)) };
}

/** The whole shape determines which axes are removed: an axis of several units may have size 1 on a rank. */
const squeeze: Rule = {
  ...regroup(),
  localize(operator, local) {
    const { node, inputs } = operator;
    const given = node.inputs.map((_, slot) => local.input(slot));
    const listed = intsAttribute(node, "axes") ?? inputs[1]?.contents ?? [];
    if (listed.length > 0 || !local.inputDims(0).some((dim) => local.isSharded(dim)))
      return [rename(node, given, local)];
    const axes = inputs[0]!.dims.flatMap((size, axis) => (isOne(size) ? [axis] : []));
    if (axes.length === 0) return [makeNode("Identity", [local.input(0)], local.output(0))];
    return [rename(node, [local.input(0), local.constant(int64Tensor(axes))], local)];
  },
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

/** The same value everywhere, so any part is like any other. */
const constantOfShape: Rule = {
  propagate: (operator) => [operator.outputs[0]!.dims.map(freshDim)],
  localize: (operator, local) => retarget(operator, local, 0),
};

/** Sizes stay global: if the input is sharded, its sizes are scaled back. */
const shape: Rule = {
  propagate: (operator) => [operator.outputs[0]!.dims.map(freshDim)],
  unread: [0],
  localize(operator, local) {
    const { node } = operator;
    const dims = local.inputDims(0);
    if (!dims.some((dim) => local.isSharded(dim))) {
      return [{ ...node, inputs: [local.input(0)], outputs: [local.output(0)] }];
    }
    const start = sliceBound(node, "start", dims.length, 0);
    const end = sliceBound(node, "end", dims.length, dims.length);
    const chosen = dims.slice(start, end);
    const ratio = (of: (dim: Dim) => number): ConstantTensor =>
      int64Tensor(chosen.map((dim) => (local.isSharded(dim) ? of(dim) : 1)));
    return scaledBack(
      operator,
      local,
      ratio((dim) => sizeOf(dim)[0]),
      ratio((dim) => local.size(dim)[0]),
    );
  },
};

/** The number of elements stays global, as sizes do. */
const size: Rule = {
  propagate: shape.propagate,
  unread: [0],
  localize(operator, local) {
    const sharded = local.inputDims(0).filter((dim) => local.isSharded(dim));
    if (sharded.length === 0) return [rename(operator.node, [local.input(0)], local)];
    const count = (of: (dim: Dim) => number): ConstantTensor =>
      int64Tensor([sharded.reduce((product, dim) => product * of(dim), 1)], []);
    return scaledBack(
      operator,
      local,
      count((dim) => sizeOf(dim)[0]),
      count((dim) => local.size(dim)[0]),
    );
  },
};

/** A number that a node counts on a rank, scaled by `times / by` to that of the whole. */
function scaledBack(
  { node }: Operator,
  local: Localization,
  times: ConstantTensor,
  by: ConstantTensor,
): GraphNode[] {
  const [here, scaled] = [local.value(), local.value()];
  return [
    { ...node, inputs: [local.input(0)], outputs: [here] },
    makeNode("Mul", [here, local.constant(times)], scaled),
    makeNode("Div", [scaled, local.constant(by)], local.output(0)),
  ];
}

function sliceBound(node: GraphNode, name: string, rank: number, otherwise: number): number {
  const attribute = node.attributes[name];
  if (attribute?.kind !== "int") return otherwise;
  return Math.min(Math.max(fromFront(attribute.value, rank), 0), rank);
}

const transpose: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const turned = input.map((_, axis) => input.length - 1 - axis);
    const order = intsAttribute(operator.node, "perm") ?? turned;
    return [order.map((axis) => input[axis]!)];
  },
  linearity: { kind: "one", slots: [0] },
};

export const reshapeRules: Readonly<Record<string, Rule>> = {
  Reshape: regroup(1),
  Flatten: regroup(),
  Squeeze: squeeze,
  Unsqueeze: regroup(),
  Expand: expand,
  Tile: tile,
  Trilu: trilu,
  Pad: pad,
  ConstantOfShape: constantOfShape,
  Shape: shape,
  Size: size,
  Transpose: transpose,
};
