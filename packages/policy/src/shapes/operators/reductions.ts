import { elementCount } from "@ringrank/model/weights";
import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";
import { toElement } from "../numbers.js";
import { readView, rowMajorStrides } from "../strides.js";

/** Reduces the elements of one group to one; absent if contents are not propagated. */
type Fold = (elements: readonly number[]) => number;

/**
 * Axes are an attribute, or an input (opset 13 and 18). Without axes, all are reduced, or none with
 * noop_with_empty_axes.
 */
function reduction(fold?: Fold): ShapeRule {
  return (node) => {
    const { type, dims: from, contents } = node.input(0);
    const listed = node.ints("axes") ?? (node.optional(1) ? node.contents(1, "axes") : []);
    if (listed.length === 0 && node.int("noop_with_empty_axes", 0) === 1)
      return [fold === undefined ? { type, dims: from } : node.input(0)];
    const axes = listed.length === 0 ? new Set(from.keys()) : node.axes(listed, from.length);
    const keep = node.int("keepdims", 1) === 1;
    const dims = keep
      ? from.map((size, axis) => (axes.has(axis) ? 1 : size))
      : from.filter((_, axis) => !axes.has(axis));
    if (fold === undefined || contents === undefined) return [{ type, dims }];
    const groups = grouped(contents, from, axes);
    return [{ type, dims, contents: groups.map((group) => toElement(type, fold(group))) }];
  };
}

/** The elements that are reduced to each element of the result, in the result's row-major order. */
function grouped(
  contents: readonly number[],
  dims: readonly number[],
  axes: ReadonlySet<number>,
): number[][] {
  const order = [...dims.keys()].sort((a, b) => Number(axes.has(a)) - Number(axes.has(b)));
  const strides = rowMajorStrides(dims);
  const sorted = readView(
    contents,
    order.map((axis) => dims[axis]!),
    order.map((axis) => strides[axis]!),
  );
  const size = elementCount(dims.filter((_, axis) => axes.has(axis)));
  const count = elementCount(dims.filter((_, axis) => !axes.has(axis)));
  return Array.from({ length: count }, (_, i) => sorted.slice(i * size, (i + 1) * size));
}

const sum: Fold = (elements) => elements.reduce((a, b) => a + b, 0);

const arg: ShapeRule = (node) => {
  const from = node.dims(0);
  const axis = node.axis(node.int("axis", 0), from.length);
  return [
    { type: "int64", dims: node.int("keepdims", 1) === 1 ? from.with(axis, 1) : from.toSpliced(axis, 1) },
  ];
};

const topK: ShapeRule = (node) => {
  const from = node.dims(0);
  const axis = node.axis(node.int("axis", -1), from.length);
  const count = node.attribute("k") === undefined ? node.scalar(1, "k") : node.requiredInt("k");
  if (count > from[axis]!) node.fail(`k of at most ${from[axis]}, not ${count}`);
  const dims = from.with(axis, count);
  return [
    { type: node.type(0), dims },
    { type: "int64", dims },
  ];
};

/** The input's shape; the axis is only checked. */
function along(defaultAxis: number): ShapeRule {
  return (node: NodeContext) => {
    const { type, dims } = node.input(0);
    if (dims.length > 0) node.axis(node.int("axis", defaultAxis), dims.length);
    return [{ type, dims }];
  };
}

/** Contents are propagated for forward, inclusive sums, which exports use to count positions. */
const cumulativeSum: ShapeRule = (node) => {
  const { type, dims, contents } = node.input(0);
  const axis = node.optional(1)?.contents?.[0];
  const isPlain = node.int("exclusive", 0) === 0 && node.int("reverse", 0) === 0;
  if (contents === undefined || axis === undefined || !isPlain) return [{ type, dims }];
  const counted = node.axis(axis, dims.length);
  const stride = elementCount(dims.slice(counted + 1));
  const sums: number[] = [];
  for (const [at, element] of contents.entries()) {
    const isFirst = Math.floor(at / stride) % dims[counted]! === 0;
    sums.push(toElement(type, element + (isFirst ? 0 : sums[at - stride]!)));
  }
  return [{ type, dims, contents: sums }];
};

/** Operators along an axis: reductions, and those that keep it. */
export const reductionRules: ShapeRules = {
  ReduceSum: reduction(sum),
  ReduceProd: reduction((elements) => elements.reduce((a, b) => a * b, 1)),
  ReduceMax: reduction((elements) => Math.max(...elements)),
  ReduceMin: reduction((elements) => Math.min(...elements)),
  ReduceMean: reduction((elements) => sum(elements) / elements.length),
  ReduceL1: reduction(),
  ReduceL2: reduction(),
  ReduceLogSum: reduction(),
  ReduceLogSumExp: reduction(),
  ReduceSumSquare: reduction(),
  ArgMax: arg,
  ArgMin: arg,
  TopK: topK,
  Softmax: along(-1),
  LogSoftmax: along(-1),
  Hardmax: along(-1),
  CumSum: cumulativeSum,
};
