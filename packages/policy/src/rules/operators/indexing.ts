import { intAttribute } from "@ringrank/model";
import { type Dim, sizeOf } from "../../factors/factor.js";
import { axisOf } from "../../graph/axis.js";
import { int64Tensor } from "../../graph/constants.js";
import { isOne, sameSize } from "../../shapes/size-pair.js";
import { cutOut } from "../cut-out.js";
import { consecutive, type IndexRun, indicesFrom } from "../indices.js";
import { maskedLookup } from "../masked-rows.js";
import { onShare } from "../on-share.js";
import type { Operator, Propagation, Rule, Rules } from "../rule.js";

/**
 * Indices that are known during planning cut a run out of the axis (many exports split a fused projection that way). A
 * lookup of computed indices in a table contracts the table's rows: a rank without a row owes zero for it. Any other
 * use needs the axis whole.
 */
const gather: Rule = {
  propagate(operator, factors) {
    const data = factors.input(0);
    const indices = factors.input(1);
    const axis = axisOf(operator.node, 0, data.length);
    const rows = data[axis]!;
    const rest = [data.slice(0, axis), data.slice(axis + 1)] as const;
    const run = constantIndices(operator);
    if (run !== undefined) {
      const parts = cutOut(rows, run.start, run.length, factors);
      factors.cut(parts);
      return [[...rest[0], ...(run.scalar ? [] : [parts[1]]), ...rest[1]]];
    }
    if (isLookup(operator, axis)) factors.contract(rows);
    else factors.whole(rows, "picked by indices known only when running");
    return [[...rest[0], ...indices, ...rest[1]]];
  },
  linearity: { kind: "one", slots: [0] },
  localize(operator, local) {
    const { node } = operator;
    const axis = axisOf(node, 0, local.inputDims(0).length);
    const rows = local.inputDims(0)[axis]!;
    const plain = onShare(operator, local);
    if (!local.isSharded(rows)) return [plain];
    const run = constantIndices(operator);
    if (run === undefined) return maskedLookup(operator, local, rows);
    const [before, middle] = local.cut();
    const start = local.size(before!)[0];
    const length = run.scalar ? 1 : local.size(middle!)[0];
    const picked = indicesFrom(start, length);
    const indices = int64Tensor(picked, run.scalar ? [] : [length]);
    return [{ ...plain, inputs: [local.input(0), local.constant(indices)] }];
  },
};

/** A scalar index, or consecutive ascending ones, known during planning. */
function constantIndices(operator: Operator): (IndexRun & { scalar: boolean }) | undefined {
  const { dims, contents } = operator.inputs[1]!;
  const axis = axisOf(operator.node, 0, operator.inputs[0]!.dims.length);
  const run =
    dims.length > 1 ? undefined : consecutive(operator.node, contents, operator.inputs[0]!.dims[axis]!);
  return run && { ...run, scalar: dims.length === 0 };
}

function isLookup(operator: Operator, axis: number): boolean {
  const data = operator.inputs[0]!;
  return axis === 0 && data.isWeight && data.type === "float32" && !isOne(data.dims[0]!);
}

/**
 * `out[i…] = data[…, indices[i…], i…, …]`: picks along one axis, which stays whole. Along the others, data and indices
 * correspond, if they are equally long.
 */
const gatherElements: Rule = {
  propagate(operator, factors) {
    const axis = axisOf(operator.node, 0, factors.input(0).length);
    const indices = factors.input(1);
    sideBySide(factors, 0, indices, axis);
    return [indices];
  },
  linearity: { kind: "one", slots: [0] },
};

/** Writes updates into data along one axis; otherwise like GatherElements. */
const scatterElements: Rule = {
  propagate(operator, factors) {
    const data = factors.input(0);
    const axis = axisOf(operator.node, 0, data.length);
    const indices = factors.input(1);
    for (const [index, dim] of factors.input(2).entries()) factors.unify(indices[index]!, dim);
    factors.whole(indices[axis]!, "written by index");
    sideBySide(factors, 0, indices, axis);
    return [data];
  },
};

/** Unifies the axes of input `slot` with those of `other`, except `axis`, which stays whole in the input. */
function sideBySide(factors: Propagation, slot: number, other: readonly Dim[], axis: number): void {
  factors.input(slot).forEach((dim, index) => {
    const mine = other[index]!;
    if (index === axis) factors.whole(dim, "picked by index");
    else if (sameSize(sizeOf(dim), sizeOf(mine))) factors.unify(dim, mine);
    else for (const part of [dim, mine]) factors.whole(part, "picked by index from a longer axis");
  });
}

/**
 * `out[i…] = data[indices[i…, 0], …, indices[i…, k − 1]]`. If one axis is indexed by a run that is known during
 * planning, it is cut (some exporters take the keys out of a fused projection that way); otherwise, all indexed axes
 * stay whole.
 */
const gatherND: Rule = {
  propagate(operator, factors) {
    const data = factors.input(0);
    const indices = factors.input(1);
    const batch = intAttribute(operator.node, "batch_dims", 0);
    const depth = operator.inputs[1]!.dims.at(-1)![0];
    factors.whole(indices.at(-1)!, "an index");
    const run = constantRun(operator);
    if (run !== undefined) {
      const parts = cutOut(data[0]!, run.start, run.length, factors);
      factors.cut(parts);
      const picked = indices.slice(0, -1).map((dim) => (isOne(sizeOf(dim)) ? dim : parts[1]));
      return [[...picked, ...data.slice(1)]];
    }
    for (let axis = 0; axis < batch; axis++) factors.unify(data[axis]!, indices[axis]!);
    for (const dim of data.slice(batch, batch + depth)) factors.whole(dim, "picked by index");
    return [[...indices.slice(0, -1), ...data.slice(batch + depth)]];
  },
  linearity: { kind: "one", slots: [0] },
  localize(operator, local) {
    const plain = onShare(operator, local);
    const run = constantRun(operator);
    const [before, picked] = local.cut();
    if (run === undefined || before === undefined || !local.isSharded(local.inputDims(0)[0]!)) return [plain];
    const length = local.size(picked!)[0];
    const dims = operator.inputs[1]!.dims.map(([size]) => (size === run.length && size > 1 ? length : size));
    const indices = int64Tensor(indicesFrom(local.size(before)[0], length), dims);
    return [{ ...plain, inputs: [local.input(0), local.constant(indices)] }];
  },
};

/** Indices `[…, 1]` into the first axis, with at most one dimension longer than 1. */
function constantRun({ node, inputs }: Operator): IndexRun | undefined {
  const { dims, contents } = inputs[1]!;
  const longer = dims.filter((size) => !isOne(size));
  if (intAttribute(node, "batch_dims", 0) !== 0 || dims.at(-1)![0] !== 1 || longer.length > 1)
    return undefined;
  return consecutive(node, contents, inputs[0]!.dims[0]!);
}

/** Writes whole slices into a copy of data; the indexed axes stay whole. */
const scatterND: Rule = {
  propagate(operator, factors) {
    const [data, indices, updates] = [factors.input(0), factors.input(1), factors.input(2)];
    const depth = operator.inputs[1]!.dims.at(-1)![0];
    for (const dim of [...indices, ...data.slice(0, depth)]) factors.whole(dim, "written by index");
    const rest = updates.slice(indices.length - 1);
    for (const dim of updates.slice(0, indices.length - 1)) factors.whole(dim, "written by index");
    data.slice(depth).forEach((dim, index) => {
      factors.unify(dim, rest[index]!);
    });
    return [data];
  },
};

export const indexingRules: Rules = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterND: scatterND,
  ScatterElements: scatterElements,
};
