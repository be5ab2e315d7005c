import type { Table } from "../tensors/table.js";
import "../../../../test/support/optimized-kernels.js";
import { GraphBuilder, type Value } from "@ringrank/model";
import { buildPrograms, planGraph, type Segment } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { floatsAtOnce } from "../kernels/kernel-result.js";
import { kernelFiles, RankKernels } from "../kernels/rank-kernels.js";
import { openPublicSession } from "../sessions/public-session.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { ElementwiseShortcut } from "./elementwise-shortcut.js";
import { InstructionList } from "./instruction-list.js";

/** The runtime's sigmoid has an error of up to 1e-7; activations of numbers up to 12 multiply it by twelve. */
const tolerance = { rtol: 2e-6, atol: 2e-6 };

type Activation = (g: GraphBuilder, x: Value, y: Value) => Value;

const gated: Activation = (g, x, y) => g.mul(g.quickGelu(x, 1), y);
const half = (g: GraphBuilder): Value => g.numbers([0.5]);
const one = (g: GraphBuilder): Value => g.numbers([1]);

/** As architectures and exporters write them. */
const activations: [string, Activation][] = [
  ["a SiLU gate", gated],
  ["a GELU gate", (g, x, y) => g.mul(g.gelu(x, "tanh"), y)],
  ["a GELU", (g, x) => g.gelu(x, "none")],
  ["a quick GELU", (g, x) => g.quickGelu(x, 1.702)],
  ["a fast GELU", (g, x) => g.node("FastGelu", [x], { domain: "com.microsoft" })],
  ["a squared ReLU", (g, x) => g.pow(g.relu(x), g.numbers([2]))],
  [
    "a hard sigmoid",
    (g, x) => g.div(g.clip(g.add(x, g.numbers([3])), g.numbers([0]), g.numbers([6])), g.numbers([6])),
  ],
  [
    "a GELU of several operators",
    (g, x) => {
      const erf = g.node("Erf", [g.div(x, g.numbers([Math.SQRT2]))]);
      return g.mul(g.mul(x, g.add(erf, one(g))), half(g));
    },
  ],
  [
    "a tanh GELU of several operators",
    (g, x) => {
      const cube = g.mul(g.numbers([0.044715]), g.pow(x, g.numbers([3])));
      const scaled = g.mul(g.add(x, cube), g.numbers([Math.sqrt(2 / Math.PI)]));
      return g.mul(half(g), g.mul(x, g.add(one(g), g.tanh(scaled))));
    },
  ],
  ["a SiLU of several operators", (g, x) => g.div(x, g.add(one(g), g.node("Exp", [g.node("Neg", [x])])))],
];

describe.each(["plain", "fused"] as const)("the %s kernels compute the same as ONNX Runtime:", (build) => {
  const kernels = new RankKernels(1024, [kernelFiles[build]]);

  it.each(activations)("%s", async (_, activation) => {
    const segment = segmentOf(activation);
    const [x, y] = [numbers(40, 50), numbers(40, 50, 1)];
    const made = runnerOf(segment, kernels)(x, y);
    expect(made?.dims).toEqual([40, 50]);
    expect(made!.data as Float32Array).toBeAllclose(await byRuntime(segment, x, y), tolerance);
  });

  it.each([
    ["a SiLU", (g, x) => g.quickGelu(x, 1)],
    ["a GELU", (g, x) => g.gelu(x, "none")],
    ["a ReLU", (g, x) => g.relu(x)],
  ] satisfies [string, Activation][])("%s of infinities and NaN", async (_, activation) => {
    const segment = segmentOf(activation);
    const x = tensor("float32", Float32Array.of(Infinity, 1e30, 0, -100, NaN), [1, 5]);
    const made = runnerOf(segment, kernels)(x);
    expect(made!.data as Float32Array).toBeAllclose(await byRuntime(segment, x), tolerance);
  });
});

describe("values", () => {
  const kernels = new RankKernels(1024);
  const segment = segmentOf(gated);

  it("of another shape are computed correctly afterwards", async () => {
    const run = runnerOf(segment, kernels);
    for (const [rows, columns] of [
      [1, 3],
      [1, 255],
      [5, 1000],
      [1, 257],
    ] as const) {
      const [x, y] = [numbers(rows, columns), numbers(rows, columns, 1)];
      const made = run(x, y)!;
      expect(made.dims).toEqual([rows, columns]);
      expect(made!.data as Float32Array).toBeAllclose(await byRuntime(segment, x, y), tolerance);
    }
  });

  it("are read in place if they are in the kernels' memory and fill whole vectors", () => {
    const [x, y] = [numbers(2, 10), numbers(2, 10, 1)];
    const expected = runnerOf(segment, kernels)(x, y)!;
    const room = kernels.memory.floats(64)!;
    for (const offset of [0, 4, 5]) {
      const inside = room.subarray(offset, offset + 20);
      inside.set(x.data as Float32Array);
      const made = runnerOf(segment, kernels)(tensor("float32", inside, [2, 10]), y);
      expect(made!.data).toEqual(expected.data);
      expect(inside).toEqual(x.data);
    }
  });

  it("are read at their new place if they moved since the last step, and at the old one if not", () => {
    const run = runnerOf(segment, kernels);
    const inside = (value: Tensor): Tensor => {
      const room = kernels.memory.floats(value.data.length)!;
      room.set(value.data as Float32Array);
      return tensor("float32", room, value.dims);
    };
    const [x, y, z] = [12, 1, 2].map((most) => inside(numbers(2, 10, most)));
    const copyOf = (made: Tensor | undefined) => (made!.data as Float32Array).slice();
    const before = copyOf(run(x!, y!));
    expect(copyOf(run(x!, y!))).toEqual(before);
    expect(copyOf(run(x!, z!))).not.toEqual(before);
    expect(copyOf(run(x!, numbers(2, 10, 1)))).toEqual(before);
    (y!.data as Float32Array).fill(0);
    expect(copyOf(run(x!, y!)).every((one) => one === 0)).toBe(true);
  });

  it("outside the kernels' memory are read again in each step, even if the tensor is the same", () => {
    const run = runnerOf(segment, kernels);
    const [x, y] = [numbers(2, 10), numbers(2, 10, 1)];
    run(x, y);
    (y.data as Float32Array).fill(0);
    expect((run(x, y)!.data as Float32Array).every((one) => one === 0)).toBe(true);
  });

  it("of one step are not changed when another step runs the same segment", () => {
    const list = listOf(segment, kernels);
    const table = [numbers(1, 9), numbers(1, 9, 1), numbers(1, 9, 2), undefined, undefined];
    expect(new ElementwiseShortcut(list, [0, 1], [3]).run(table)).toBe(true);
    const first = (table[3]!.data as Float32Array).slice();
    expect(new ElementwiseShortcut(list, [1, 2], [4]).run(table)).toBe(true);
    expect(table[3]!.data).toEqual(first);
    expect(table[4]!.data).not.toEqual(first);
  });

  it.each<[string, Tensor, Tensor]>([
    ["more than kernels process at once", numbers(1, floatsAtOnce + 1), numbers(1, floatsAtOnce + 1)],
    ["of different shapes", numbers(2, 3), numbers(3, 2)],
    ["of another type", tensor("float16", new Uint16Array(4), [1, 4]), numbers(1, 4)],
  ])("%s are left to a session", (_, x, y) => {
    const table = [x, y, undefined];
    expect(new ElementwiseShortcut(listOf(segment, kernels), [0, 1], [2]).run(table)).toBe(false);
    expect(table[2]).toBeUndefined();
  });

  it("are left to a session if there is no room for them", () => {
    const small = new RankKernels(1);
    const run = runnerOf(segment, small);
    // A page has room for about 16,000 floats.
    expect(run(numbers(1, 9000), numbers(1, 9000))).toBeUndefined();
    expect(run(numbers(1, 900), numbers(1, 900))).toBeDefined();
  });
});

/** From −12 to 12, where activations are not linear; or up to another number. */
function numbers(rows: number, columns: number, most = 12): Tensor {
  const data = Float32Array.from({ length: rows * columns }, (_, i) => most * Math.sin(most + i * 1.3));
  return tensor("float32", data, [rows, columns]);
}

/** The only segment of a graph with only this activation. */
function segmentOf(activation: Activation): Segment {
  const g = new GraphBuilder();
  const [x, y] = ["x", "y"].map((name) => g.input(name, "float32", ["rows", "columns"]));
  g.output("z", activation(g, x!, y!), "float32", ["rows", "columns"]);
  const graph = g.build();
  return buildPrograms(graph, planGraph(graph, { ranks: 1 }))[0]!.segments[0]!;
}

function listOf(segment: Segment, kernels: RankKernels): InstructionList {
  return InstructionList.open(kernels, segment.elementwise!, segment.inputs.length)!;
}

/** Runs one step of the segment, possibly without a second input; undefined if it is left to a session. */
function runnerOf(segment: Segment, kernels: RankKernels) {
  const inputs = segment.inputs.map((_, at) => at);
  const step = new ElementwiseShortcut(listOf(segment, kernels), inputs, [inputs.length]);
  return (...values: readonly Tensor[]): Tensor | undefined => {
    const table: Table = [...values.slice(0, inputs.length), undefined];
    expect(step.run(table)).toBe(table.at(-1) !== undefined);
    return table.at(-1);
  };
}

async function byRuntime(segment: Segment, ...values: readonly Tensor[]): Promise<Float32Array> {
  const session = await openPublicSession(segment.onnx, { logSeverityLevel: 3 });
  const feeds = Object.fromEntries(segment.inputs.map((name, at) => [name, values[at]!]));
  const [output] = segment.outputs;
  const fetched = await session.run(feeds, { [output!]: null });
  return fetched[output!]!.data as Float32Array;
}
