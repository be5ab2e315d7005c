import { isRingrankError } from "@ringrank/errors";
import { type GraphNode, intAttribute, intsAttribute } from "@ringrank/model";
import { fromFront } from "../graph/axis.js";
import { operatorName } from "../graph/operator-name.js";
import type { Evaluated } from "./evaluated.js";
import { isIntMax } from "./numbers.js";
import { broadcastingRules } from "./operators/broadcasting.js";
import { shapeRules } from "./table.js";
import { isSame, type Marks, none, type Unproven, type ValuesAtBoth } from "./values-at-both.js";

/** By output of a node: the marks of its sizes; empty if none is marked. */
export function doubtfulDims(node: GraphNode, index: number, values: ValuesAtBoth): readonly Marks[] {
  const operator = operatorName(node);
  const own = ownDoubts(node, operator, values);
  if (!values.hasMarks(node)) return own;
  const passed = Object.hasOwn(broadcastingRules, operator)
    ? alongAxes(node, values)
    : operator === "Reshape"
      ? [reshaped(node, values)]
      : bySizesThatDiffer(node, operator, index, values);
  return node.outputs.map((_, slot) => either(own[slot] ?? none, passed[slot] ?? none));
}

/** Sizes that an operator itself makes equal at both settings. */
function ownDoubts(node: GraphNode, operator: string, values: ValuesAtBoth): readonly Marks[] {
  if (operator === "Slice") return [cutOff(node, values)];
  const counted = operator === "NonZero" || (operator === "Range" && isRounded(node, values));
  return counted && node.inputs.some((name) => values.varies(name))
    ? [operator === "Range" ? [1] : [0, 1]]
    : [];
}

/** Whether a Range ends within a step. */
function isRounded({ inputs }: GraphNode, values: ValuesAtBoth): boolean {
  const steps = (["first", "second"] as const).map((setting) => {
    const [start, limit, delta] = inputs.map(
      (name) => values.get(name)?.[setting].contents?.[0] ?? Number.NaN,
    );
    return (limit! - start!) / delta!;
  });
  return !steps.every((count) => Number.isInteger(count) && count >= 0);
}

/**
 * Marks ranges out of an axis of varying size that are equally long at both settings: in another call, the axis may end
 * within the range. A range of only the first or only the last element is not marked, since every call has these.
 */
function cutOff(node: GraphNode, values: ValuesAtBoth): Marks {
  const { inputs, outputs } = node;
  const [from, to] = [values.get(inputs[0]!), values.get(outputs[0]!)];
  if (from === undefined || to === undefined) return none;
  const list = (name: string, slot: number): readonly number[] | undefined =>
    intsAttribute(node, name) ?? values.get(inputs[slot] ?? "")?.second.contents;
  const rank = from.second.dims.length;
  const [starts, ends, axes, steps] = [list("starts", 1), list("ends", 2), list("axes", 3), list("steps", 4)];
  const isEnd = (axis: number): boolean => {
    const at = axes === undefined ? axis : axes.findIndex((one) => fromFront(one, rank) === axis);
    return isFirstOrLast(starts?.[at], ends?.[at], steps?.[at] ?? 1);
  };
  return to.second.dims.map((size, axis) => {
    const isAlike =
      isSame(size, to.first.dims[axis]!) && !isSame(from.first.dims[axis]!, from.second.dims[axis]!);
    return isAlike && !(size === 1 && isEnd(axis)) ? 1 : 0;
  });
}

function isFirstOrLast(start: number | undefined, end: number | undefined, step: number): boolean {
  if (step !== 1 || end === undefined) return false;
  return (start === 0 && end === 1) || (start === -1 && isIntMax(end));
}

/**
 * Marks broadcast sizes for which an operand's size is marked, unless another operand proves them: one with the same
 * size, unmarked and other than 1.
 */
function alongAxes({ inputs, outputs }: GraphNode, values: ValuesAtBoth): readonly Marks[] {
  const made = values.get(outputs[0]!)?.second.dims ?? none;
  const marks = made.map((size, axis) => {
    const aligned = inputs.flatMap((name) => {
      const value = values.get(name)?.second;
      const own = axis - made.length + (value?.dims.length ?? 0);
      return value === undefined || own < 0
        ? []
        : { size: value.dims[own]!, isMarked: values.unproven.get(name)?.dims[own] === 1 };
    });
    return aligned.some(({ isMarked }) => isMarked) &&
      !aligned.some((one) => !one.isMarked && one.size === size && size !== 1)
      ? 1
      : 0;
  });
  return [marks];
}

function reshaped(node: GraphNode, values: ValuesAtBoth): Marks {
  const { inputs, outputs } = node;
  const [data = "", shape = ""] = inputs;
  const from = values.unproven.get(data)?.dims ?? none;
  const target = values.unproven.get(shape)?.contents ?? none;
  const contents = values.get(shape)?.second.contents ?? none;
  const copies = intAttribute(node, "allowzero", 0) === 0;
  return (values.get(outputs[0]!)?.second.dims ?? none).map((_, axis) => {
    if (target[axis] === 1) return 1;
    if (contents[axis] === 0 && copies) return from[axis] ?? 0;
    return contents[axis] === -1 && (from.includes(1) || target.includes(1)) ? 1 : 0;
  });
}

/** Sizes that change if a marked value is larger, or smaller; all of them, if neither is accepted. */
function bySizesThatDiffer(
  node: GraphNode,
  operator: string,
  index: number,
  values: ValuesAtBoth,
): readonly Marks[] {
  const results = [1, -1].flatMap((by) => {
    const context = values.context(node, index, (value, marks) => changed(value, marks, by));
    try {
      return [shapeRules.get(operator)!(context)];
    } catch (error) {
      if (!isRingrankError(error) || error.code !== "RR_GRAPH") throw error;
      return [];
    }
  });
  return node.outputs.map((name, slot) => {
    const { dims } = values.get(name)?.second ?? { dims: none };
    if (results.length === 0) return dims.map(() => 1);
    return dims.map((size, axis) => (results.every((one) => one[slot]?.dims[axis] === size) ? 0 : 1));
  });
}

function changed(value: Evaluated, marks: Unproven | undefined, by: number): Evaluated {
  if (marks === undefined) return value;
  const dims = value.dims.map((size, axis) => size + by * (marks.dims[axis] ?? 0));
  // The elements of a value with another size are unknown.
  if (marks.dims.includes(1)) return { type: value.type, dims };
  return {
    ...value,
    contents: value.contents?.map((element, at) => element + by * (marks.contents?.[at] ?? 0)),
  };
}

function either(one: Marks, other: Marks): Marks {
  const [long, short] = one.length >= other.length ? [one, other] : [other, one];
  return long.map((marked, at) => marked || (short[at] ?? 0));
}
