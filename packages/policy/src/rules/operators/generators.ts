import type { ConstantTensor, GraphNode } from "@ringrank/model";
import { type Dim, freshDim, sizeOf } from "../../factors/factor.js";
import { axisOf, fromFront } from "../../graph/axis.js";
import { int64Tensor } from "../../graph/constants.js";
import { makeNode } from "../../graph/make-node.js";
import { onShare } from "../on-share.js";
import { retarget } from "../retarget.js";
import type { Localization, Operator, Propagation, Rule, Rules } from "../rule.js";
import { wholeDim, wholeEverything, wholeOutputs } from "../whole.js";

/** A constant, which may be divided freely. */
const constant: Rule = {
  propagate: (operator) => [operator.outputs[0]!.dims.map(freshDim)],
};

/** The same value everywhere, so any part is like any other. */
const constantOfShape: Rule = {
  propagate: (operator) => [operator.outputs[0]!.dims.map(freshDim)],
  localize: (operator, local) => retarget(operator, local, 0),
};

/** Outputs that are related to no input: small integers for shapes. */
const unrelated: Rule = {
  propagate: (operator: Operator, factors: Propagation) =>
    wholeOutputs(operator, factors, "counted, not computed from"),
};

/** Sizes stay global: if the input is sharded, its sizes are scaled back. */
const shape: Rule = {
  propagate: (operator) => [operator.outputs[0]!.dims.map(freshDim)],
  unread: [0],
  localize(operator, local) {
    const { node } = operator;
    const dims = local.inputDims(0);
    if (!dims.some((dim) => local.isSharded(dim))) return [onShare(operator, local)];
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
    if (sharded.length === 0) return [onShare(operator, local)];
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

/** `[…] → […, depth, …]`, with the new axis whole. Every rank has the two values that are written. */
const oneHot: Rule = {
  propagate(operator, factors) {
    const indices = factors.input(0);
    const sizes = operator.outputs[0]!.dims;
    const axis = axisOf(operator.node, -1, sizes.length);
    const classes = wholeDim(sizes[axis]!, factors, "compared with every index");
    for (const dim of factors.input(2)) factors.whole(dim, "one for misses, one for hits");
    return [[...indices.slice(0, axis), classes, ...indices.slice(axis)]];
  },
};

/** The size of its output depends on the data, so it needs all of the data. */
const nonZero: Rule = {
  propagate: (operator, factors) => wholeEverything(operator, factors, "searched as a whole"),
};

/** A matrix of ones and zeros in the shape of the input, whatever the input contains. */
const eyeLike: Rule = {
  propagate: (operator, factors) => wholeEverything(operator, factors, "its shape is read"),
};

export const generatorRules: Rules = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: unrelated,
  Shape: shape,
  Size: size,
  EyeLike: eyeLike,
  OneHot: oneHot,
  NonZero: nonZero,
};
