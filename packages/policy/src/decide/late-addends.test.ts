import { type DataType, decodeOnnx, type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { expect, it } from "vitest";
import { buildPrograms, planGraph } from "../plan.js";
import type { RankProgram, Step } from "../program/program.js";
import { parameter, sizes } from "../testing/graphs.js";

it("every rank adds what all ranks have to an all-reduced sum, outside of its sessions", () => {
  const graph = graphOf((g, x) => g.relu(g.add(x, feed(g, g.relu(x), "a"))));
  for (const program of programsOf(graph)) {
    expect(stepsOf(program).map(({ kind }) => kind)).toEqual(["run", "allReduce", "run"]);
    expect(addends(program)).toEqual(["x"]);
    expect(operatorsOf(program)).not.toContain("Add");
  }
});

it("a sum that is added to the next one is not fed to a session for that", () => {
  const graph = graphOf((g, x) => {
    const first = g.add(x, feed(g, g.relu(x), "a"));
    return g.relu(g.add(feed(g, scaled(g, first, "scale"), "b"), first));
  });
  for (const program of programsOf(graph)) {
    const reduced = stepsOf(program).filter((step) => step.kind === "allReduce");
    expect(addends(program)).toEqual(["x", reduced[0]!.value]);
    expect(program.segments.flatMap(({ inputs }) => inputs)).not.toContain(reduced[0]!.value);
  }
});

it.each<[string, (g: GraphBuilder, x: Value) => Value]>([
  ["the outermost sum", (g, x) => g.add(g.add(feed(g, x, "a"), feed(g, x, "b")), x)],
  ["an inner one", (g, x) => g.add(g.add(feed(g, x, "a"), x), feed(g, x, "b"))],
  ["one below a bias", (g, x) => g.add(g.add(feed(g, x, "a"), x), biasOf(g))],
  ["one that is then reshaped", (g, x) => g.reshape(g.add(feed(g, x, "a"), x), [-1, sizes.width])],
])("in nested sums, an addend of %s is found", (_, sum) => {
  const graph = graphOf((g, x) => g.reshape(g.relu(sum(g, x)), [-1, rows, sizes.width]));
  for (const program of programsOf(graph)) expect(addends(program)).toEqual(["x"]);
});

it("an addend computed without parameters is computed on every rank", () => {
  const graph = graphOf((g, x) => {
    const first = g.add(x, feed(g, x, "a"));
    return g.relu(g.add(g.relu(first), feed(g, scaled(g, first, "scale"), "b")));
  });
  for (const program of programsOf(graph)) {
    expect(addends(program)).toHaveLength(2);
    expect(operatorsOf(program)).not.toContain("Add");
  }
});

it("a rank without units adds the same as the others", () => {
  const graph = graphOf((g, x) => g.relu(g.add(x, feed(g, g.relu(x), "a", { inner: 3 }))));
  for (const program of programsOf(graph, 4)) expect(addends(program)).toEqual(["x"]);
});

it.each<[string, (g: GraphBuilder, x: Value) => Value, DataType?]>([
  [
    "a parameter of several rows",
    (g, x) => g.add(feed(g, x, "a"), g.weight("own", parameter(1, rows, sizes.width))),
  ],
  [
    "a parameter that is also added elsewhere",
    (g, x) => {
      const bias = biasOf(g);
      return g.add(g.relu(g.add(x, bias)), g.add(feed(g, x, "a"), bias));
    },
  ],
  ["a scalar parameter", (g, x) => g.add(feed(g, x, "a"), g.weight("one", parameter(1)))],
  [
    "computed with a parameter that nothing else needs",
    (g, x) => g.add(feed(g, x, "a"), scaled(g, x, "scale")),
  ],
  [
    "a computed row that is added to all rows",
    (g, x) => g.add(feed(g, x, "a"), g.slice(x, g.integers([0]), g.integers([1]), 1)),
  ],
  ["of float16", (g, x) => g.add(feed(g, x, "a", { type: "float16" }), x), "float16"],
])("an addend that is %s stays in a session of rank 0", (_, sum, type) => {
  const graph = graphOf((g, x) => g.relu(sum(g, x)), type);
  const programs = programsOf(graph);
  expect(programs.map(addends)).toEqual([[], []]);
  expect(programs.map((program) => operatorsOf(program).includes("Add"))).toEqual([true, false]);
});

it("every rank keeps the bias of a product, and adds it to the sum", () => {
  const graph = graphOf((g, x) => g.relu(g.add(x, g.add(feed(g, x, "a"), biasOf(g)))));
  const policy = planGraph(graph, { ranks: 2 });
  for (const [rank, program] of buildPrograms(graph, policy).entries()) {
    expect(rowsOf(program)).toEqual(["bias"]);
    expect(addends(program)).toEqual(["x"]);
    expect(operatorsOf(program)).not.toContain("Add");
    expect(program.weights.bias).toMatchObject({ dims: [sizes.width] });
    expect(policy.weights.bias!.bytesPerRank[rank]).toBe(4 * sizes.width);
    expect(program.bytes).toBe(policy.bytesPerRank[rank]);
  }
});

it.each<[string, number, (g: GraphBuilder, x: Value) => Value]>([
  ["two products that are added together", 1, (g, x) => g.add(biased(g, x, "a"), biased(g, x, "b"))],
  [
    "a product that is then reshaped",
    0,
    (g, x) => g.reshape(g.add(biased(g, x, "a"), biasOf(g, "b.bias")), [-1, sizes.width]),
  ],
])("every bias of %s is added later", (_, left, sum) => {
  const graph = graphOf((g, x) => g.reshape(g.relu(sum(g, x)), [-1, rows, sizes.width]));
  for (const program of programsOf(graph)) {
    expect(rowsOf(program).sort()).toEqual(["a.bias", "b.bias"]);
    expect(operatorsOf(program).filter((operator) => operator === "Add")).toHaveLength(left);
  }
});

it.each([
  ["is an operand of a product is", 1, ["bias"]],
  ["is an operand of a product and scaled is not", 0.5, []],
])("a bias that %s added later", (_, beta, expected) => {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", sizes.width]);
  const up = g.relu(g.matmul(x, g.weight("up", parameter(sizes.width, sizes.inner))));
  const down = g.weight("down", parameter(sizes.inner, sizes.width));
  const attributes = { beta: { kind: "float", value: beta } } as const;
  g.output("y", g.relu(g.node("Gemm", [up, down, biasOf(g)], { attributes })), "float32", [
    "batch",
    sizes.width,
  ]);
  for (const program of programsOf(g.build())) expect(rowsOf(program)).toEqual(expected);
});

it.each<[string, (g: GraphBuilder, x: Value) => Value]>([
  ["that is added to a product", (g, x) => g.add(feed(g, x, "a", { inner: 3 }), biasOf(g))],
  [
    "that is an operand of a product",
    (g, x) => {
      const row = g.reshape(x, [-1, sizes.width]);
      const up = g.relu(g.matmul(row, g.weight("up", parameter(sizes.width, 3))));
      const down = g.node("Gemm", [up, g.weight("down", parameter(3, sizes.width)), biasOf(g)]);
      return g.reshape(down, [-1, rows, sizes.width]);
    },
  ],
])("a rank without units also keeps a bias %s", (_, sum) => {
  const graph = graphOf((g, x) => g.relu(sum(g, x)));
  const policy = planGraph(graph, { ranks: 4 });
  for (const [rank, program] of buildPrograms(graph, policy).entries()) {
    expect(rowsOf(program)).toEqual(["bias"]);
    expect(program.weights).toHaveProperty("bias");
    expect(program.bytes).toBe(policy.bytesPerRank[rank]);
  }
});

it("addends of a sum that is an output stay in a session", () => {
  const programs = programsOf(graphOf((g, x) => g.add(x, feed(g, x, "a"))));
  expect(programs.map(addends)).toEqual([[], []]);
});

const rows = 3;

const programsOf = (graph: Graph, ranks = 2): RankProgram[] =>
  buildPrograms(graph, planGraph(graph, { ranks }));

const stepsOf = ({ entries }: RankProgram): readonly Step[] => entries.forward!.steps;

const addends = (program: RankProgram): string[] =>
  stepsOf(program).flatMap((step) =>
    (step.kind === "allReduce" || step.kind === "normalize") && step.added?.value !== undefined
      ? [step.added.value]
      : [],
  );

/** The rows that are added to all sums. */
const rowsOf = (program: RankProgram): string[] =>
  stepsOf(program).flatMap((step) =>
    step.kind === "allReduce" || step.kind === "normalize" ? (step.added?.rows ?? []) : [],
  );

const operatorsOf = ({ segments }: RankProgram): string[] =>
  segments.flatMap(({ onnx }) => decodeOnnx(onnx).nodes.map(({ opType }) => opType));

function graphOf(build: (g: GraphBuilder, x: Value) => Value, type: DataType = "float32"): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", type, ["batch", rows, sizes.width]);
  g.output("y", build(g, x), type, ["batch", rows, sizes.width]);
  return g.build();
}

const biasOf = (g: GraphBuilder, name = "bias"): Value => g.weight(name, parameter(sizes.width));

/** A sum over ranks, with a bias. */
const biased = (g: GraphBuilder, x: Value, name: string): Value =>
  g.add(feed(g, x, name), biasOf(g, `${name}.bias`));

/** `x · scale`, not linear in a rank's part of a sum. */
const scaled = (g: GraphBuilder, x: Value, name: string): Value =>
  g.rmsNormalization(x, g.weight(name, parameter(sizes.width)), 1e-6);

/** `relu(x·up)·down`, a sum over ranks. */
function feed(
  g: GraphBuilder,
  x: Value,
  name: string,
  { inner = sizes.inner, type = "float32" }: { inner?: number; type?: DataType } = {},
): Value {
  const weight = (part: string, ...dims: readonly number[]): Value =>
    g.weight(`${name}.${part}`, { ...parameter(...dims), type });
  return g.matmul(g.relu(g.matmul(x, weight("up", sizes.width, inner))), weight("down", inner, sizes.width));
}
