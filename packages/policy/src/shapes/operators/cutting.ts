import { elementCount } from "@ringrank/model/weights";
import { fromFront } from "../../graph/axis.js";
import { type Evaluated, hasContents } from "../evaluated.js";
import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";
import { isIntMax } from "../numbers.js";
import { readView, rowMajorStrides } from "../strides.js";

const concat: ShapeRule = (node) => {
  const first = node.input(0);
  const axis = node.axis(node.requiredInt("axis"), first.dims.length);
  let total = 0;
  let known = true;
  for (let slot = 0; slot < node.inputs.length; slot++) {
    const { dims, contents } = node.input(slot);
    const fits = dims.length === first.dims.length && dims.every((n, a) => a === axis || n === first.dims[a]);
    if (!fits) node.fail(`input ${slot} to agree with input 0 outside axis ${axis}`);
    total += dims[axis]!;
    known &&= contents !== undefined;
  }
  const { type } = first;
  const dims = first.dims.with(axis, total);
  return [{ type, dims, contents: known && hasContents(type, dims) ? joined(node, axis) : undefined }];
};

function joined(node: NodeContext, axis: number): number[] {
  const parts = node.inputs.map((_, slot) => {
    const { dims, contents } = node.input(slot);
    return { contents: contents!, run: elementCount(dims.slice(axis)) };
  });
  const result: number[] = [];
  const outer = elementCount(node.dims(0).slice(0, axis));
  for (let i = 0; i < outer; i++) {
    for (const { contents, run } of parts) result.push(...contents.slice(i * run, (i + 1) * run));
  }
  return result;
}

/**
 * Sizes are an attribute (before opset 13), an input, or nearly equal: `num_outputs` parts of ⌈size/n⌉ with a smaller
 * last one (opset 18), or else as many parts as the node has outputs.
 */
const split: ShapeRule = (node) => {
  const { type, dims, contents } = node.input(0);
  const axis = node.axis(node.int("axis", 0), dims.length);
  const total = dims[axis]!;
  const sizes =
    node.ints("split") ?? (node.optional(1) ? node.contents(1, "split") : equalParts(node, total));
  if (sizes.some((size) => size < 0) || sizes.reduce((sum, size) => sum + size, 0) !== total)
    node.fail(`parts of at least 0 that sum to ${total}, not [${sizes}]`);
  const strides = contents && rowMajorStrides(dims);
  let start = 0;
  return sizes.map((size): Evaluated => {
    const part = dims.with(axis, size);
    const offset = start;
    start += size;
    if (contents === undefined || strides === undefined) return { type, dims: part };
    return { type, dims: part, contents: readView(contents, part, strides, offset * strides[axis]!) };
  });
};

function equalParts(node: NodeContext, total: number): readonly number[] {
  const count = node.int("num_outputs", node.node.outputs.length);
  if (count < 1 || count > node.node.outputs.length)
    node.fail(`as many outputs as parts, not ${count} parts`);
  const size = Math.ceil(total / count);
  return Array.from({ length: count }, (_, i) => Math.max(Math.min(size, total - i * size), 0));
}

interface Bounds {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly axes: readonly number[];
  readonly steps: readonly number[];
}

function sliceBounds(node: NodeContext, rank: number): Bounds {
  // Attributes in opset 1, inputs from opset 10 on.
  const starts = node.ints("starts") ?? node.contents(1, "starts");
  const ends = node.ints("ends") ?? node.contents(2, "ends");
  const axes = node.ints("axes") ?? (node.optional(3) ? node.contents(3, "axes") : starts.map((_, i) => i));
  const steps = node.optional(4) ? node.contents(4, "steps") : starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    node.fail("starts, ends, axes and steps of equal length");
  }
  return { starts, ends, axes: [...node.axes(axes, rank)], steps };
}

/**
 * Negative bounds count from the end. Bounds are clamped to [0, n], or to [−1, n−1] for negative steps. In ONNX
 * Runtime, an end of INT_MAX means no end, whatever the step's sign.
 */
const slice: ShapeRule = (node) => {
  const { type, dims: from, contents } = node.input(0);
  const { starts, ends, axes, steps } = sliceBounds(node, from.length);
  const dims = [...from];
  const strides = rowMajorStrides(from);
  let offset = 0;
  axes.forEach((axis, i) => {
    const size = from[axis]!;
    const step = steps[i]!;
    if (step === 0) node.fail("steps other than 0");
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const start = clamp(fromFront(starts[i]!, size), Math.max(low, 0), high);
    const end = isIntMax(ends[i]!) ? (step > 0 ? size : -1) : clamp(fromFront(ends[i]!, size), low, high);
    dims[axis] = Math.max(Math.ceil((end - start) / step), 0);
    offset += start * strides[axis]!;
    strides[axis]! *= step;
  });
  if (contents === undefined || !hasContents(type, dims)) return [{ type, dims }];
  return [{ type, dims, contents: readView(contents, dims, strides, offset) }];
};

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** Operators that join tensors along an axis, or cut one along some axes. */
export const cuttingRules: ShapeRules = { Concat: concat, Split: split, Slice: slice };
