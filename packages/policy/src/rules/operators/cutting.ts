import { intsAttribute } from "@ringrank/model";
import { type Dim, freshDim, sizeOf, sumDim } from "../../factors/factor.js";
import { axisOf, fromFront } from "../../graph/axis.js";
import { int64Tensor } from "../../graph/constants.js";
import { makeNode } from "../../graph/make-node.js";
import { isStatic, sameSize } from "../../shapes/size-pair.js";
import { cutOut } from "../cut-out.js";
import { onShare } from "../on-share.js";
import type { Operator, Rule, Rules } from "../rule.js";
import { wholeDim } from "../whole.js";

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
    const parts = local.cut();
    if (!parts.some((part) => local.isSharded(part))) return [onShare(operator, local)];
    const sizes = local.constant(int64Tensor(parts.map((part) => local.size(part)[0])));
    const { num_outputs: _, split: __, ...attributes } = node.attributes;
    return [{ ...onShare(operator, local), attributes, inputs: [local.input(0), sizes] }];
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
    const ranges = sliceRanges(operator);
    const inputDims = local.inputDims(0);
    const axes = [...(ranges?.keys() ?? [])];
    const outputDims = local.outputDims(0);
    const isCut = (axis: number): boolean => !sameSize(sizeOf(inputDims[axis]!), sizeOf(outputDims[axis]!));
    // The bounds of a whole range, from 0 to the size or beyond, are also right for a part.
    if (ranges === undefined || !axes.some((axis) => isCut(axis) && local.isSharded(inputDims[axis]!)))
      return [onShare(operator, local)];
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
      makeNode(
        "Slice",
        [
          local.input(0),
          constant(bounds.map(([start]) => start)),
          constant(bounds.map(([, end]) => end)),
          constant(axes),
          constant(axes.map((axis) => ranges.get(axis)!.step)),
        ],
        local.output(0),
      ),
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

export const cuttingRules: Rules = { Split: split, Concat: concat, Slice: slice };
