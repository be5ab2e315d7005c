import { type GraphNode, intsAttribute } from "@ringrank/model";
import { type Dim, freshDim, isOne, isStatic, sameSize, sizeOf, sumDim } from "../factors/factor.js";
import { axisOf, fromFront } from "../graph/axis.js";
import { int64Tensor } from "../graph/constants.js";
import { consecutive, type IndexRun, indicesFrom } from "./indices.js";
import { maskedRows } from "./masked-rows.js";
import type { Localization, Operator, Propagation, Rule } from "./rule.js";
import { wholeDim } from "./whole-dim.js";

/** The whole dimension is the concatenation of its parts, which need not be equal. */
const split: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const axis = axisOf(operator.node, 0, input.length);
    const parts = operator.outputs.map((operand) => freshDim(operand!.dims[axis]!));
    factors.unify(input[axis]!, sumDim(parts));
    factors.cut(parts);
    return parts.map((part) => input.map((dim, index) => (index === axis ? part : dim)));
  },
  linearity: { kind: "one", slots: [0] },
  localize(operator, local) {
    const { node } = operator;
    const outputs = node.outputs.map((_, index) => local.output(index));
    const parts = local.cut();
    if (!parts.some((part) => local.isSharded(part))) {
      return [{ ...node, inputs: node.inputs.map((_, slot) => local.input(slot)), outputs }];
    }
    const sizes = local.constant(int64Tensor(parts.map((part) => local.size(part)[0])));
    const { num_outputs: _, split: __, ...attributes } = node.attributes;
    return [{ ...node, attributes, inputs: [local.input(0), sizes], outputs }];
  },
};

const concat: Rule = {
  propagate(operator, factors) {
    const shapes = operator.inputs.map((_, slot) => factors.input(slot));
    const [first] = shapes;
    const axis = axisOf(operator.node, 0, first!.length);
    const out = first!.map((dim, index) => {
      if (index === axis) return sumDim(shapes.map((shape) => shape[axis]!));
      for (const shape of shapes.slice(1)) factors.unify(dim, shape[index]!);
      return dim;
    });
    return [out];
  },
};

/**
 * Static bounds cut a dimension in three; a range of everything is the dimension itself. Steps other than 1, and bounds
 * that are only known at run time, need the dimension whole.
 */
const slice: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const ranges = sliceRanges(operator);
    const output = operator.outputs[0]!;
    // Bounds are rewritten for all axes or for none, so a single one that is only known at run time rules out any cut.
    const isKnown = [...(ranges?.values() ?? [])].every(({ start }) => start !== undefined);
    /** By axis: what is before, inside and after the range. */
    const cuts = input.map((dim): readonly Dim[] => [[], dim, []]);
    const out = input.map((dim, axis): Dim => {
      const size = output.dims[axis]!;
      const range = ranges?.get(axis);
      if (ranges !== undefined && (range === undefined || sameSize(size, sizeOf(dim)))) {
        if (range === undefined || range.step === 1) return dim;
      }
      const isCut = isKnown && range?.step === 1 && isStatic(sizeOf(dim)) && isStatic(size);
      if (!isCut) {
        factors.whole(dim, "bounds known only when running, or a step");
        return wholeDim(size, factors, "cut at bounds known only when running");
      }
      const parts = cutOut(dim, range.start!, size[0], factors);
      cuts[axis] = parts;
      return parts[1];
    });
    factors.cut(cuts.flat());
    return [out];
  },
  linearity: { kind: "one", slots: [0] },
  localize(operator, local) {
    const { node } = operator;
    const inputs = node.inputs.map((_, slot) => local.input(slot));
    const outputs = [local.output(0)];
    const ranges = sliceRanges(operator);
    const inputDims = local.inputDims(0);
    const axes = [...(ranges?.keys() ?? [])];
    const outputDims = local.outputDims(0);
    const isCut = (axis: number): boolean => !sameSize(sizeOf(inputDims[axis]!), sizeOf(outputDims[axis]!));
    // The bounds of a whole range, from 0 to the size or beyond, are also right for a part.
    if (ranges === undefined || !axes.some((axis) => isCut(axis) && local.isSharded(inputDims[axis]!)))
      return [{ ...node, inputs, outputs }];
    const bounds = axes.map((axis) => {
      const range = ranges.get(axis)!;
      const dim = inputDims[axis]!;
      if (!local.isSharded(dim)) return [range.rawStart, range.rawEnd] as const;
      if (!isCut(axis)) return [0, Number.POSITIVE_INFINITY] as const;
      const [before, middle] = local.cut().slice(3 * axis);
      const start = local.size(before!)[0];
      return [start, start + local.size(middle!)[0]] as const;
    });
    const constant = (values: readonly number[]): string => local.constant(int64Tensor(values));
    return [
      {
        ...node,
        attributes: {},
        inputs: [
          inputs[0]!,
          constant(bounds.map(([start]) => start)),
          constant(bounds.map(([, end]) => end)),
          constant(axes),
          constant(axes.map((axis) => ranges.get(axis)!.step)),
        ],
        outputs,
      },
    ];
  },
};

interface Range {
  /** First index, counted from the start; undefined if it or the last one is only known at run time. */
  readonly start: number | undefined;
  readonly rawStart: number;
  readonly rawEnd: number;
  readonly step: number;
}

/** Ranges by axis, from attributes (opset 1) or inputs (10 and later); undefined if axes or steps are computed. */
function sliceRanges(operator: Operator): Map<number, Range> | undefined {
  const { node, inputs } = operator;
  const rank = inputs[0]!.dims.length;
  const list = (name: string, slot: number): readonly (readonly [number, number])[] | undefined =>
    intsAttribute(node, name)?.map((value) => [value, value] as const) ?? inputs[slot]?.contents;
  const starts = list("starts", 1);
  const ends = list("ends", 2);
  if (starts === undefined || ends === undefined) return undefined;
  const axes = list("axes", 3) ?? starts.map((_, index) => [index, index] as const);
  const steps = list("steps", 4) ?? starts.map(() => [1, 1] as const);
  if (!axes.every(isStatic) || !steps.every(isStatic)) return undefined;
  const ranges = new Map<number, Range>();
  for (const [index, start] of starts.entries()) {
    const axis = fromFront(axes[index]![0], rank);
    const size = inputs[0]!.dims[axis]!;
    const known = isStatic(start) && isStatic(ends[index]!) && (start[0] >= 0 || isStatic(size));
    ranges.set(axis, {
      start: known ? firstIndex(start[0], size[0]) : undefined,
      rawStart: start[0],
      rawEnd: ends[index]![0],
      step: steps[index]![0],
    });
  }
  return ranges;
}

/** Negative indices count from the end; the result is clamped to the axis. */
function firstIndex(start: number, size: number): number {
  return Math.min(Math.max(fromFront(start, size), 0), size);
}

/** Splits `dim` into what is before `[start, start + length)`, that range, and what is after it. */
export function cutOut(dim: Dim, start: number, length: number, factors: Propagation): [Dim, Dim, Dim] {
  const size = sizeOf(dim)[0];
  const part = (length: number): Dim => freshDim([length, length]);
  const parts: [Dim, Dim, Dim] = [part(start), part(length), part(size - start - length)];
  factors.unify(dim, sumDim(parts));
  return parts;
}

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
    const run = constantRun(operator);
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
    const plain = { ...node, inputs: [local.input(0), local.input(1)], outputs: [local.output(0)] };
    if (!local.isSharded(rows)) return [plain];
    const run = constantRun(operator);
    if (run === undefined) return maskedLookup(operator, local, rows);
    const [before, middle] = local.cut();
    const start = local.size(before!)[0];
    const length = run.scalar ? 1 : local.size(middle!)[0];
    const picked = indicesFrom(start, length);
    return [
      { ...plain, inputs: [local.input(0), local.constant(int64Tensor(picked, run.scalar ? [] : [length]))] },
    ];
  },
};

/** A scalar index, or consecutive ascending ones, known during planning. */
function constantRun(operator: Operator): (IndexRun & { scalar: boolean }) | undefined {
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

/** A lookup of the rows that a rank has, in a table that may have further operands per row; zero for all other rows. */
export function maskedLookup(operator: Operator, local: Localization, rows: Dim): readonly GraphNode[] {
  const { node } = operator;
  return maskedRows(local, operator, rows, (ids, output) => [
    {
      ...node,
      inputs: node.inputs.map((_, slot) => (slot === 1 ? ids : local.input(slot))),
      outputs: [output],
    },
  ]);
}

export const segmentRules: Readonly<Record<string, Rule>> = {
  Split: split,
  Concat: concat,
  Slice: slice,
  Gather: gather,
};
