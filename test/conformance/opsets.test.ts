import { join } from "node:path";
import { type Attribute, encodeOnnx, type Graph, GraphBuilder, openOnnx, type Value } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { buildPrograms, planGraph } from "@ringrank/policy";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { EmulatedGroup } from "../support/emulation/emulated-group.js";
import type { EmulatedTensor } from "../support/emulation/emulated-tensor.js";
import { suiteDirectory } from "../support/temporary-directory.js";
import { waves } from "../support/waves.js";

const [batch, sequence, width, heads, lanes] = [2, 3, 12, 4, 6];

/**
 * An operator whose definition changed between opset 11 and 23, in one of its forms. Each form, read from a file of its
 * opset, is split and computes what one session on that file does.
 */
interface Form {
  readonly operator: string;
  /** The file's opset: the first or the last in which the operator has this form. */
  readonly opset: number;
  /** @param x float32 `[batch, heads, sequence, lanes]` */
  readonly apply: (g: GraphBuilder, x: Value) => Value;
}

const int = (value: number): Attribute => ({ kind: "int", value });
const ints = (...value: readonly number[]): Attribute => ({ kind: "ints", value });
const float = (value: number): Attribute => ({ kind: "float", value });

const apply =
  (operator: string, attributes: Readonly<Record<string, Attribute>> = {}): Form["apply"] =>
  (g, x) =>
    g.node(operator, [x], { attributes });

/** An operator with its axes or sizes as an input. */
const applyTo =
  (
    operator: string,
    values: readonly number[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Form["apply"] =>
  (g, x) =>
    g.node(operator, [x, g.integers(values)], { attributes });

/** Reductions had axes as an attribute until opset 17; ReduceSum until 12. */
const reductions = [
  "ReduceMean",
  "ReduceMax",
  "ReduceMin",
  "ReduceProd",
  "ReduceSumSquare",
  "ReduceL1",
  "ReduceL2",
];

const forms: readonly Form[] = [
  { operator: "Unsqueeze", opset: 11, apply: apply("Unsqueeze", { axes: ints(0) }) },
  { operator: "Unsqueeze", opset: 23, apply: applyTo("Unsqueeze", [0]) },
  { operator: "Squeeze", opset: 11, apply: (g, x) => apply("Squeeze", { axes: ints(2) })(g, firstRow(g, x)) },
  { operator: "Squeeze", opset: 23, apply: (g, x) => applyTo("Squeeze", [2])(g, firstRow(g, x)) },
  { operator: "ReduceSum", opset: 11, apply: apply("ReduceSum", { axes: ints(-1), keepdims: int(0) }) },
  { operator: "ReduceSum", opset: 13, apply: applyTo("ReduceSum", [-1], { keepdims: int(0) }) },
  { operator: "ReduceSum", opset: 23, apply: applyTo("ReduceSum", [2], { keepdims: int(1) }) },
  ...reductions.flatMap((operator): Form[] => [
    { operator, opset: 11, apply: apply(operator, { axes: ints(-1) }) },
    { operator, opset: 17, apply: apply(operator, { axes: ints(2, 3), keepdims: int(0) }) },
    { operator, opset: 18, apply: applyTo(operator, [-1]) },
    { operator, opset: 23, apply: applyTo(operator, [2, 3], { keepdims: int(0) }) },
  ]),
  { operator: "Softmax", opset: 11, apply: apply("Softmax", { axis: int(3) }) },
  { operator: "Softmax", opset: 12, apply: apply("Softmax", { axis: int(2) }) },
  { operator: "Softmax", opset: 13, apply: apply("Softmax") },
  { operator: "Softmax", opset: 23, apply: apply("Softmax", { axis: int(2) }) },
  { operator: "LogSoftmax", opset: 11, apply: apply("LogSoftmax", { axis: int(3) }) },
  { operator: "LogSoftmax", opset: 23, apply: apply("LogSoftmax") },
  { operator: "Split", opset: 11, apply: halves({ split: ints(2, 4) }) },
  { operator: "Split", opset: 12, apply: halves({}) },
  { operator: "Split", opset: 13, apply: halves({}, [2, 4]) },
  { operator: "Split", opset: 17, apply: halves({}) },
  { operator: "Split", opset: 18, apply: halves({ num_outputs: int(2) }) },
  { operator: "Split", opset: 23, apply: halves({}, [2, 4]) },
  ...[11, 12, 23].map(
    (opset): Form => ({
      operator: "Clip",
      opset,
      apply: (g, x) => g.node("Clip", [x, g.numbers([-0.5]), g.numbers([0.25])]),
    }),
  ),
  { operator: "Dropout", opset: 11, apply: apply("Dropout", { ratio: float(0.5) }) },
  { operator: "Dropout", opset: 12, apply: (g, x) => g.node("Dropout", [x, g.numbers([0.5])]) },
  { operator: "Dropout", opset: 23, apply: (g, x) => g.node("Dropout", [x, g.numbers([0.5])]) },
  ...[11, 13, 19, 23].map(
    (opset): Form => ({
      operator: "Cast",
      opset,
      apply: (g, x) => g.cast(g.cast(g.mul(x, g.numbers([9])), "int64"), "float32"),
    }),
  ),
  { operator: "Reshape", opset: 11, apply: applyTo("Reshape", [0, 0, -1]) },
  { operator: "Reshape", opset: 14, apply: applyTo("Reshape", [0, 0, -1], { allowzero: int(0) }) },
  { operator: "Reshape", opset: 23, apply: applyTo("Reshape", [0, 0, -1]) },
  {
    operator: "Shape",
    opset: 11,
    apply: (g, x) => {
      const [rows] = [
        g.node("Gather", [g.node("Shape", [x]), g.integer(2)], { attributes: { axis: int(0) } }),
      ];
      return g.add(x, g.cast(rows, "float32"));
    },
  },
  { operator: "Shape", opset: 15, apply: (g, x) => g.add(x, g.cast(g.shape(x, 2, 3), "float32")) },
  { operator: "Shape", opset: 23, apply: (g, x) => g.add(x, g.cast(g.shape(x, -2, -1), "float32")) },
  ...[11, 13].map(
    (opset): Form => ({
      operator: "Pad",
      opset,
      apply: (g, x) => g.node("Pad", [x, g.integers([0, 0, 1, 0, 0, 0, 0, 2])]),
    }),
  ),
  {
    operator: "Pad",
    opset: 18,
    apply: (g, x) => g.node("Pad", [x, g.integers([1, 2]), g.numbers([0.5]), g.integers([3])]),
  },
  { operator: "CumSum", opset: 11, apply: (g, x) => g.node("CumSum", [x, g.integer(2)]) },
  { operator: "CumSum", opset: 23, apply: (g, x) => g.node("CumSum", [x, g.integer(2)]) },
  ...[11, 23].map(
    (opset): Form => ({
      operator: "Pow",
      opset,
      apply: (g, x) => g.pow(g.abs(x), g.numbers([1.5])),
    }),
  ),
  ...[11, 16, 23].map(
    (opset): Form => ({
      operator: "Where",
      opset,
      apply: (g, x) => g.where(g.greater(x, g.numbers([0])), x, g.numbers([-1])),
    }),
  ),
  ...[11, 23].map(
    (opset): Form => ({
      operator: "TopK",
      opset,
      apply: (g, x) => g.nodes("TopK", [x, g.integers([2])], 2)[0]!,
    }),
  ),
  ...[12, 23].map(
    (opset): Form => ({
      operator: "Einsum",
      opset,
      apply: (g, x) =>
        g.node("Einsum", [x, x], { attributes: { equation: { kind: "string", value: "bhid,bhjd->bhij" } } }),
    }),
  ),
  {
    operator: "LayerNormalization",
    opset: 17,
    apply: (g, x) => g.layerNormalization(x, ones(g), undefined, 1e-5),
  },
  {
    operator: "LayerNormalization",
    opset: 23,
    apply: (g, x) => g.layerNormalization(x, ones(g), undefined, 1e-5),
  },
  { operator: "RMSNormalization", opset: 23, apply: (g, x) => g.node("RMSNormalization", [x, ones(g)]) },
  { operator: "Gelu", opset: 20, apply: apply("Gelu") },
  { operator: "Gelu", opset: 23, apply: apply("Gelu", { approximate: { kind: "string", value: "tanh" } }) },
];

describe.each(forms)("$operator of opset $opset", ({ opset, apply }) => {
  const path = join(suiteDirectory({ "model.onnx": encodeOnnx(graphOf(opset, apply)) }), "model.onnx");

  it("is split, and computes what one session on the file does", async () => {
    const graph = openOnnx(path);
    const policy = planGraph(graph, { ranks: 2 });
    expect(policy.unruled).toEqual([]);
    expect(policy.weights.up).toMatchObject({ placement: "column-parallel", axis: 1 });
    const { data, dims } = await split(graph, 2);
    const whole = await unsplit(path);
    expect(dims).toEqual(whole.dims);
    // A rank computes its heads by the same products and sums, but ONNX Runtime may fuse them differently.
    expect(data as Float32Array).toBeAllclose(whole.data as Float32Array, { rtol: 1e-5, atol: 1e-5 });
  });
});

/** `y` from `x [batch, sequence, width]`, through a projection to heads. */
function graphOf(opset: number, apply: Form["apply"]): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", "sequence", width]);
  const up = g.weight("up", {
    type: "float32",
    dims: [width, heads * lanes],
    source: { kind: "inline", data: waves(width * heads * lanes) },
  });
  const projected = g.reshape(g.matmul(x, up), [0, 0, heads, lanes]);
  g.output("y", apply(g, g.transpose(projected, [0, 2, 1, 3])), "float32", []);
  return { ...g.build(), opsets: { "": opset } };
}

async function split(graph: Graph, ranks: number): Promise<EmulatedTensor> {
  const programs = buildPrograms(graph, planGraph(graph, { ranks }));
  using reader = new ShardReader();
  const group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
  try {
    const x = { type: "float32", dims: [batch, sequence, width], data: input() } as const;
    return (await group.run("forward", { x })).y!;
  } finally {
    await group.close();
  }
}

async function unsplit(path: string): Promise<ort.Tensor> {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const { y } = await session.run({ x: new ort.Tensor("float32", input(), [batch, sequence, width]) });
  await session.release();
  return y!;
}

const input = (): Float32Array => waves(batch * sequence * width);

/** The two halves of the lanes, swapped. */
function halves(attributes: Readonly<Record<string, Attribute>>, sizes?: readonly number[]): Form["apply"] {
  return (g, x) => {
    const inputs = sizes === undefined ? [x] : [x, g.integers(sizes)];
    const [first, second] = g.nodes("Split", inputs, 2, { attributes: { ...attributes, axis: int(3) } });
    return g.node("Concat", [second!, first!], { attributes: { axis: int(3) } });
  };
}

/** `[batch, heads, 1, lanes]`. */
function firstRow(g: GraphBuilder, x: Value): Value {
  return g.slice(x, g.integers([0]), g.integers([1]), 2);
}

const ones = (g: GraphBuilder): Value => g.numbers(new Float32Array(lanes).fill(1), [lanes]);
