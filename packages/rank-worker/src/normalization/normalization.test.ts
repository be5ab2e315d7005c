import { encodeOnnx, GraphBuilder } from "@ringrank/model";
import type { NormalizeStep } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { RankKernels } from "../kernels/rank-kernels.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import { openPublicSession } from "../sessions/public-session.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { Normalization } from "./normalization.js";

interface Case {
  readonly dims: readonly number[];
  readonly centered: boolean;
  readonly hasBias?: boolean;
}

const cases: [string, Case][] = [
  ["a row by its root mean square", { dims: [1, 1, 96], centered: false }],
  ["a centered row, with a bias", { dims: [1, 1, 64], centered: true, hasBias: true }],
  ["centered rows, without a bias", { dims: [3, 40], centered: true }],
  ["rows whose width is not a multiple of a vector's", { dims: [2, 3, 45], centered: true, hasBias: true }],
  ["more rows than it processes at once", { dims: [2, 600, 32], centered: false }],
];

/** Sums of ten to a hundred squares, in another order. */
const tolerance = { rtol: 1e-5, atol: 1e-6 };

describe.each([
  ["the kernel", () => new RankKernels()],
  ["plain code", () => undefined],
])("%s normalizes like ONNX Runtime", (_, kernelsOf) => {
  it.each(cases)("%s", async (_, options) => {
    const { step, weights, value } = make(options);
    const normalization = new Normalization(step, weightOf(weights), kernelsOf());
    const { normalized: computed } = normalization.run(value);
    expect(computed.dims).toEqual(options.dims);
    expect(computed.data as Float32Array).toBeAllclose(await byOperator(options, weights, value), tolerance);
  });
});

describe.each([
  ["the kernel", () => new RankKernels()],
  ["plain code", () => undefined],
])("%s adds before it normalizes", (_, kernelsOf) => {
  it.each([
    ["a few rows", [2, 3, 45]],
    ["more rows than it processes at once", [2, 600, 32]],
  ])("%s", async (_, dims) => {
    const options = { dims, centered: true, hasBias: true };
    const { step, weights, value } = make(options);
    const addend = make({ ...options, dims: [dims[0]! + 1, ...dims.slice(1)] }).value;
    const other = (addend.data as Float32Array).slice(0, size(dims));
    const row = weights.get("bias")!.data as Float32Array;
    const biased = (value.data as Float32Array).map((x, i) => x + row[i % row.length]!);
    const expected = biased.map((x, i) => x + other[i]!);
    const adding = { ...step, added: { rows: ["bias"], value: "z" } };
    const normalization = new Normalization(adding, weightOf(weights), kernelsOf());
    const { sum, normalized } = normalization.run(value, tensor("float32", other, dims));
    expect(sum).toMatchObject({ dims, data: expected });
    const whole = tensor("float32", expected, dims);
    expect(normalized.data as Float32Array).toBeAllclose(
      await byOperator(options, weights, whole),
      tolerance,
    );
  });
});

it("adds to many rows in the kernels' memory in place; the result is there until released", () => {
  const options = { dims: [2, 600, 32], centered: true, hasBias: true };
  const { step, weights, value } = make(options);
  const kernels = new RankKernels();
  const normalization = new Normalization({ ...step, added: { rows: ["bias"] } }, weightOf(weights), kernels);
  const expected = new Normalization({ ...step, added: { rows: ["bias"] } }, weightOf(weights), undefined);
  const near = kernels.memory.floats(size(options.dims))!;
  near.set(value.data as Float32Array);
  const { sum, normalized } = normalization.run(tensor("float32", near, options.dims));
  const plain = expected.run(value);
  expect(sum.data).toBe(near);
  expect(near).toEqual(plain.sum.data);
  expect(normalized.data as Float32Array).toBeAllclose(plain.normalized.data as Float32Array, tolerance);
  const free = kernels.memory.bytesFree;
  TransientTensor.releaseAll([normalized]);
  expect(kernels.memory.bytesFree).toBe(free + 4 * near.length);
});

it("normalizes values of another shape correctly afterwards", async () => {
  const options = { dims: [1, 1, 24], centered: true, hasBias: true };
  const { step, weights } = make(options);
  const normalization = new Normalization(step, weightOf(weights), new RankKernels());
  for (const dims of [
    [1, 1, 24],
    [3, 1, 24],
    [1, 3, 24],
  ]) {
    const { value } = make({ ...options, dims });
    const { data } = normalization.run(value).normalized;
    expect(data as Float32Array).toBeAllclose(
      await byOperator({ ...options, dims }, weights, value),
      tolerance,
    );
  }
});

it("reads the current contents of the kernels' memory each time, whatever happened in between", () => {
  const kernels = new RankKernels();
  const { step, weights } = make({ dims: [1, 24], centered: true, hasBias: true });
  const [byKernel, plain] = [kernels, undefined].map(
    (kernels) => new Normalization(step, weightOf(weights), kernels),
  );
  const near = (dims: readonly number[]) => {
    const { value } = make({ dims, centered: true });
    const room = kernels.memory.floats(size(dims))!;
    room.set(value.data as Float32Array);
    return tensor("float32", room, dims);
  };
  const [one, other] = [near([1, 24]), near([3, 24])];
  for (const [turn, value] of [one, one, other, one, one].entries()) {
    (value.data as Float32Array)[turn] = turn;
    const { normalized } = byKernel!.run(value);
    expect(normalized).toMatchObject({ dims: value.dims, data: plain!.run(value).normalized.data });
  }
});

it("two on the same kernels do not change each other's results", async () => {
  const kernels = new RankKernels();
  const pair = [
    { dims: [1, 2, 24], centered: true, hasBias: true },
    { dims: [2, 1, 40], centered: false },
  ].map((options) => {
    const made = make(options);
    return { options, ...made, normalization: new Normalization(made.step, weightOf(made.weights), kernels) };
  });
  for (const factor of [1, -3]) {
    const values = pair.map(({ value }) =>
      tensor(
        "float32",
        (value.data as Float32Array).map((x) => x * factor),
        value.dims,
      ),
    );
    const results = pair.map(({ normalization }, i) => normalization.run(values[i]!).normalized);
    for (const [i, { options, weights }] of pair.entries())
      expect(results[i]!.data as Float32Array).toBeAllclose(
        await byOperator(options, weights, values[i]!),
        tolerance,
      );
  }
});

// A page has room for 16,368 floats: scale and bias, a result, and twice the floats that are processed.
it.each([
  ["its parameters", [1, 2, 9000]],
  ["its result", [20, 1, 1000]],
  ["its workspace", [4, 1, 2000]],
])("plain code normalizes if kernels have no room for %s", async (_, dims) => {
  const options = { dims, centered: true, hasBias: true };
  const { step, weights, value } = make(options);
  const kernels = new RankKernels(1);
  const { data } = new Normalization(step, weightOf(weights), kernels).run(value).normalized;
  expect(kernels.memory.holds(data as Float32Array)).toBe(false);
  expect(data as Float32Array).toBeAllclose(await byOperator(options, weights, value), tolerance);
});

it("takes nothing from a memory without room for all parameters", () => {
  const { step, weights } = make({ dims: [1, 1, 9000], centered: true, hasBias: true });
  const kernels = new RankKernels(1);
  const free = kernels.memory.bytesFree;
  new Normalization(step, weightOf(weights), kernels);
  expect(kernels.memory.floats(free / 4)).toBeDefined();
});

const epsilon = 1e-5;

const weightOf = (weights: ReadonlyMap<string, Tensor>) => (name: string) => weights.get(name)!;

function make({ dims, centered, hasBias = false }: Case) {
  const width = dims.at(-1)!;
  const floats = (shape: readonly number[], seed: number) =>
    tensor(
      "float32",
      Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(seed + i * 1.3)),
      shape,
    );
  const step: NormalizeStep = {
    kind: "normalize",
    value: "x",
    output: "y",
    scale: "scale",
    ...(hasBias && { bias: "bias" }),
    epsilon,
    centered,
  };
  const weights = new Map([
    ["scale", floats([width], 1)],
    ["bias", floats([width], 2)],
  ]);
  return { step, weights, value: floats(dims, 3 + dims[0]!) };
}

async function byOperator(
  { centered, hasBias = false }: Case,
  weights: ReadonlyMap<string, Tensor>,
  value: Tensor,
): Promise<Float32Array> {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", [...value.dims]);
  const width = value.dims.at(-1)!;
  const [scale, bias] = ["scale", "bias"].map((name) => g.input(name, "float32", [width]));
  const y = centered
    ? g.layerNormalization(x, scale!, hasBias ? bias! : undefined, epsilon)
    : g.rmsNormalization(x, scale!, epsilon);
  g.output("y", y, "float32", [...value.dims]);
  const session = await openPublicSession(encodeOnnx(g.build()), { logSeverityLevel: 3 });
  const { y: result } = await session.run({ x: value, ...Object.fromEntries(weights) }, { y: null });
  return result!.data as Float32Array;
}

function size(dims: readonly number[]): number {
  return dims.reduce((product, one) => product * one, 1);
}
