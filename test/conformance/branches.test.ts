import { join } from "node:path";
import {
  type Attribute,
  type Branch,
  decodeOnnx,
  encodeOnnx,
  type Graph,
  GraphBuilder,
  openOnnx,
  type Value,
} from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { buildPrograms, planGraph } from "@ringrank/policy";
import { expect, it } from "vitest";
import { expectCode } from "../support/coded-error.js";
import { EmulatedGroup } from "../support/emulation/emulated-group.js";
import { select } from "../support/random-graph.js";
import { runSplit, runWhole } from "../support/split-and-whole.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { TestGraph } from "../support/test-graph.js";
import { waves } from "../support/waves.js";

const width = 4;
const inner = 6;
/** So many that a file's reader leaves weights of `[columns, columns]` in the file. */
const columns = 12;

type Condition = (g: GraphBuilder, x: Value) => Value;

const decided: [string, Condition][] = [
  ["follows from shapes", (g, x) => g.equal(g.squeeze(g.shape(g.shape(x, 0, 2), 0, 1), [0]), g.integer(2))],
  ["is a constant", (g) => g.constant({ type: "bool", dims: [], data: Uint8Array.of(0) })],
];
const conditions: [string, Condition][] = [
  ...decided,
  ["is decided by data", (g, x) => g.greater(g.reduceMax(x, []), g.numbers([0]))],
];

it.each(decided)(
  "an If whose condition %s is replaced by the branch it takes, split like any graph",
  async (_, condition) => {
    const graph = choosing(condition);
    expect(operatorsOf(graph)).not.toContain("If");
    expect(planGraph(graph, { ranks: 2 }).weights.up).toMatchObject({ placement: "column-parallel" });
    expect(await outputOf(graph, 2)).toBeAllclose(await outputOf(graph, 1), { rtol: 0, atol: 1e-5 });
  },
);

it("an If decided by data runs on whole tensors, including those its branches capture", async () => {
  const graph = choosing((g, x) => g.greater(g.reduceMax(x, []), g.numbers([0])));
  expect(operatorsOf(graph)).toContain("If");
  expect(planGraph(graph, { ranks: 2 }).weights.up).toMatchObject({ placement: "replicated" });
  expect(await outputOf(graph, 2)).toBeAllclose(await outputOf(graph, 1), { rtol: 0, atol: 1e-5 });
});

it.each([1, 3])("an If whose condition is the number of rows takes the branch for %i rows", async (rows) => {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["batch", width]);
  const up = g.matmul(g.relu(g.matmul(x, g.parameter([width, inner]))), g.parameter([inner, width]));
  g.output("captured", up, "float32", []);
  const isOne = g.equal(g.squeeze(g.shape(x, 0, 1), [0]), g.integer(1));
  g.output("y", g.node("If", [isOne], { attributes: branches("Neg", "Relu") }), "float32", []);
  await expectSplitAsWhole(g, rows);
});

it("refuses an If whose branches have different shapes if the number of rows decides between them", () => {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["batch", width]);
  g.output("captured", g.matmul(x, g.parameter([width, inner])), "float32", []);
  const isOne = g.equal(g.squeeze(g.shape(x, 0, 1), [0]), g.integer(1));
  g.output("y", g.node("If", [isOne], { attributes: branches("Shape", "Relu") }), "float32", []);
  const { message } = expectCode("RR_GRAPH", () => planGraph(g.build(), { ranks: 2 }));
  expect(message).toContain("either may be taken");
});

it.each(conditions)("two Ifs may use the same names inside: one whose condition %s", async (_, condition) => {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["batch", width]);
  const up = g.matmul(g.relu(g.matmul(x, g.parameter([width, inner]))), g.parameter([inner, width]));
  g.output("captured", up, "float32", []);
  for (const factor of [2, 3]) {
    const chosen = g.node("If", [condition(g, x)], { attributes: branches("Neg", "Abs", factor) });
    g.output(`y${factor}`, g.matmul(chosen, g.parameter([width, inner])), "float32", []);
  }
  await expectSplitAsWhole(g, 3);
});

it.each([
  ["as a factor", 1],
  ["as its output", -1],
])("a branch of an If decided by data may have its own large weight, %s", async (_, sign) => {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", [3, columns]);
  const greatest = g.reduceMax(x, []);
  g.output("captured", greatest, "float32", []);
  const attributes = { then_branch: holdingWeight("captured", 1), else_branch: holdingWeight(undefined, 2) };
  const chosen = g.node("If", [g.greater(greatest, g.numbers([0]))], { attributes });
  const matrix = (seed: number) => g.numbers(waves(columns * columns, seed), [columns, columns]);
  const split = g.matmul(g.relu(g.matmul(x, matrix(3))), matrix(4));
  g.output("y", g.add(split, g.matmul(x, chosen)), "float32", []);
  const whole = g.build();
  // Read from a file: weights stay in it until a rank reads them.
  const path = join(temporaryDirectory({ "m.onnx": encodeOnnx(whole) }), "m.onnx");
  const data = waves(3 * columns, 5).map((value) => sign * Math.abs(value));
  const inputs = { x: { type: "float32", dims: [3, columns], data } } as const;
  const { y } = await runWhole({ graph: whole, contents: new Map() }, inputs);
  for (const ranks of [1, 2, 3]) {
    const graph = openOnnx(path);
    using reader = new ShardReader();
    const programs = buildPrograms(graph, planGraph(graph, { ranks }));
    const group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
    const result = await group.run("forward", inputs);
    await group.close();
    // Sums of a dozen numbers around 1, in another order.
    expect(result.y!.data).toBeAllclose(y!.data as Float32Array, { rtol: 1e-5, atol: 1e-5 });
  }
});

/** A branch that outputs its own weight, `[columns, columns]`, or `captured` times that. */
function holdingWeight(captured: string | undefined, seed: number): Attribute {
  const data = waves(columns * columns, seed);
  const product = { opType: "Mul", domain: "", inputs: [captured ?? "", "w"], outputs: ["product"] };
  const value: Branch = {
    opsets: { "": 23 },
    inputs: [],
    outputs: [{ name: captured === undefined ? "w" : "product" }],
    nodes: captured === undefined ? [] : [{ ...product, attributes: {} }],
    weights: new Map([
      ["w", { type: "float32", dims: [columns, columns], source: { kind: "inline", data } }],
    ]),
    caches: [],
  };
  return { kind: "graph", value };
}

/** Two branches of `operator(captured) · factor`, with the same names for their values. */
function branches(yes: string, no: string, factor = 1): Record<string, Attribute> {
  const times = (opType: string): Attribute => {
    const part = { domain: "", attributes: {} };
    const value: Branch = {
      opsets: { "": 23 },
      inputs: [],
      outputs: [{ name: "scaled" }],
      nodes: [
        { ...part, opType, inputs: ["captured"], outputs: ["made"] },
        { ...part, opType: "Mul", inputs: ["made", "factor"], outputs: ["scaled"] },
      ],
      weights: new Map([
        ["factor", { type: "float32", dims: [], source: { kind: "inline", data: Float32Array.of(factor) } }],
      ]),
      caches: [],
    };
    return { kind: "graph", value };
  };
  return { then_branch: times(yes), else_branch: times(no) };
}

async function expectSplitAsWhole(g: TestGraph, rows: number): Promise<void> {
  const made = { graph: g.build(), contents: g.contents };
  const data = Float32Array.from({ length: rows * width }, (_, at) => Math.sin(1 + at));
  const inputs = { x: { type: "float32", dims: [rows, width], data } } as const;
  const whole = await runWhole(made, inputs);
  for (const ranks of [1, 2, 3]) {
    const split = await runSplit(made, planGraph(made.graph, { ranks }), inputs);
    // Sums of a few numbers around 1, in another order.
    for (const [name, { data }] of Object.entries(whole))
      expect(split[name]!.data).toBeAllclose(data as Float32Array, { rtol: 0, atol: 1e-5 });
  }
}

/** `y = relu(if condition then up + up else −up) · down + x · other`, where the branches capture `up = x · up`. */
function choosing(condition: Condition): Graph {
  const g = new GraphBuilder();
  const parameter = (name: string, ...dims: readonly number[]) =>
    g.weight(name, { type: "float32", dims, source: { kind: "absent" } });
  const x = g.input("x", "float32", ["batch", width]);
  const up = g.matmul(x, parameter("up", width, inner));
  const chosen = g.node("If", [condition(g, x)], {
    attributes: {
      then_branch: { kind: "graph", value: branch("Add", 2) },
      else_branch: { kind: "graph", value: branch("Neg", 1) },
    },
  });
  const other = g.matmul(g.relu(g.matmul(x, parameter("a", width, inner))), parameter("b", inner, width));
  g.output("captured", up, "float32", ["batch", inner]);
  const down = g.matmul(g.relu(chosen), parameter("down", inner, width));
  g.output("y", g.add(down, other), "float32", ["batch", width]);
  return g.build();
}

/** One node that reads the outer value `captured`, `times` times. */
function branch(opType: string, times: number): Branch {
  const name = `${opType}_of_captured`;
  return {
    opsets: { "": 23 },
    inputs: [],
    outputs: [{ name }],
    nodes: [
      { opType, domain: "", inputs: Array<string>(times).fill("captured"), outputs: [name], attributes: {} },
    ],
    weights: new Map(),
    caches: [],
  };
}

function operatorsOf(graph: Graph): string[] {
  const [program] = buildPrograms(graph, planGraph(graph, { ranks: 1 }));
  return program!.segments.flatMap(({ onnx }) => decodeOnnx(onnx).nodes.map(({ opType }) => opType));
}

async function outputOf(graph: Graph, ranks: number): Promise<Float32Array> {
  const programs = buildPrograms(graph, planGraph(graph, { ranks }));
  const wave = Float32Array.from({ length: width * inner }, (_, index) => Math.sin(1 + 7.3 * index));
  const group = await EmulatedGroup.open(programs, ({ weight, selection }) =>
    select(wave, weight.dims, selection),
  );
  try {
    const x = { type: "float32", dims: [3, width], data: wave.slice(0, 3 * width) } as const;
    return (await group.run("forward", { x })).y!.data as Float32Array;
  } finally {
    await group.close();
  }
}
