import { decodeOnnx, type Graph, GraphBuilder, renameValues, type Value } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { buildPrograms, type PlanOptions, planGraph } from "../../plan.js";
import { parameter } from "../../testing/graphs.js";
import type { Segment } from "../program.js";

const width = 64;

/** A graph with one input `[rows, width]`. */
function graphOf(build: (g: GraphBuilder, x: Value) => Readonly<Record<string, Value>>): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["rows", width]);
  for (const [name, value] of Object.entries(build(g, x))) g.output(name, value, "float32", ["rows", name]);
  return g.build();
}

/** `x` times the weight `name`, `[columns, width]`, which has a row per column of the result. */
function project(g: GraphBuilder, x: Value, name: string, columns = width): Value {
  return g.matmulTransposed(x, g.weight(name, parameter(columns, width)));
}

function segmentsOf(graph: Graph, options: PlanOptions = { ranks: 1 }): Segment[] {
  return buildPrograms(graph, planGraph(graph, options)).map(({ segments }) => segments[0]!);
}

/** The operators of the only session of one rank, and its concatenated weights. */
function sessionOf(graph: Graph, options?: PlanOptions) {
  const [segment] = segmentsOf(graph, options);
  const { initializers, sharedWeights } = segment!;
  return { operators: operatorsOf(segment!), initializers, sharedWeights };
}

const operatorsOf = ({ onnx }: Segment): string[] => decodeOnnx(onnx).nodes.map(({ opType }) => opType);

describe("products of one input become one product", () => {
  it("whose columns are split again", () => {
    const graph = graphOf((g, x) => ({
      y: g.mul(g.sigmoid(project(g, x, "gate")), project(g, x, "up")),
    }));
    expect(sessionOf(graph)).toMatchObject({
      operators: ["FusedMatMul", "Split", "Sigmoid", "Mul"],
      initializers: [["gate", "up"]],
    });
  });

  it("which is not split if they are only concatenated, in any order", () => {
    const graph = graphOf((g, x) => {
      const [key, query] = [project(g, x, "key", 8), project(g, x, "query", 32)];
      return { y: g.relu(g.concat([query, key], 1)) };
    });
    expect(sessionOf(graph)).toMatchObject({
      operators: ["FusedMatMul", "Relu"],
      initializers: [["query", "key"]],
    });
  });

  it("if some are concatenated and others are read separately", () => {
    const graph = graphOf((g, x) => {
      const [a, b, c] = ["a", "b", "c"].map((name) => project(g, x, name));
      return { joined: g.relu(g.concat([a!, c!], 1)), apart: g.relu(b!) };
    });
    expect(sessionOf(graph)).toMatchObject({
      operators: ["FusedMatMul", "Split", "Relu", "Relu"],
      initializers: [["a", "c", "b"]],
    });
  });

  it("with one sum if each has a bias", () => {
    const graph = graphOf((g, x) => {
      const [a, b] = ["a", "b"].map((name) =>
        g.add(project(g, x, name), g.weight(`${name}.bias`, parameter(width))),
      );
      return { y: g.mul(a!, b!) };
    });
    expect(sessionOf(graph)).toMatchObject({
      operators: ["FusedMatMul", "Add", "Split", "Mul"],
      initializers: [
        ["a", "b"],
        ["a.bias", "b.bias"],
      ],
    });
  });

  it("with separate sums if some have no bias", () => {
    const graph = graphOf((g, x) => {
      const a = g.add(project(g, x, "a"), g.weight("a.bias", parameter(width)));
      return { y: g.mul(a, project(g, x, "b")) };
    });
    expect(sessionOf(graph).operators).toEqual(["FusedMatMul", "Split", "Add", "Mul"]);
  });

  it("if quantized: values are concatenated with values, scales with scales", () => {
    const graph = graphOf((g, x) => {
      const [a, b] = ["a", "b"].map((name) => g.matmul(x, g.weight(name, parameter(width, 32))));
      return { y: g.mul(a!, b!) };
    });
    const { operators, initializers } = sessionOf(graph, { ranks: 1, precision: "int4" });
    expect(operators).toEqual(["MatMulNBits", "Split", "Mul"]);
    expect(initializers.map((names) => names.length)).toEqual([2, 2]);
  });

  it("of the columns that each rank has", () => {
    const graph = graphOf((g, x) => {
      const hidden = g.mul(g.sigmoid(project(g, x, "gate", 3)), project(g, x, "up", 3));
      return { y: g.relu(g.matmulTransposed(hidden, g.weight("down", parameter(width, 3)))) };
    });
    const segments = segmentsOf(graph, { ranks: 2 });
    const sizes = segments.map(({ onnx }) => {
      const { weights } = decodeOnnx(onnx);
      return [...weights].flatMap(([name, { dims }]) => (name.startsWith("gate|") ? [dims] : []));
    });
    expect(sizes).toEqual([[[2 + 2, width]], [[1 + 1, width]]]);
  });
});

describe("products stay separate", () => {
  const twoProducts = ["FusedMatMul", "FusedMatMul"];

  it("if they have different inputs", () => {
    const graph = graphOf((g, x) => ({ y: g.mul(project(g, x, "a"), project(g, g.relu(x), "b")) }));
    expect(sessionOf(graph).operators).toEqual(expect.arrayContaining(twoProducts));
  });

  it("if they are scaled by different factors", () => {
    const graph = graphOf((g, x) => {
      const b = g.matmulTransposed(x, g.weight("b", parameter(width, width)), 0.5);
      return { y: g.mul(project(g, x, "a"), b) };
    });
    expect(sessionOf(graph).operators).toEqual([...twoProducts, "Mul"]);
  });

  it("if their weights have a column, not a row, per column of the product", () => {
    const graph = graphOf((g, x) => {
      const [a, b] = ["a", "b"].map((name) => g.matmul(x, g.weight(name, parameter(width, width))));
      return { y: g.mul(a!, b!) };
    });
    expect(sessionOf(graph)).toMatchObject({
      operators: ["MatMul", "MatMul", "Mul"],
      initializers: [["a"], ["b"]],
    });
  });

  it("if another node also reads the weight", () => {
    const graph = graphOf((g, x) => {
      const shared = g.weight("a", parameter(width, width));
      const y = g.mul(g.matmulTransposed(x, shared), project(g, x, "b"));
      return { y: g.matmulTransposed(y, shared) };
    });
    expect(sessionOf(graph).operators).toEqual([...twoProducts, "Mul", "FusedMatMul"]);
  });
});

it("a new name does not clash with that of a value", () => {
  const graph = graphOf((g, x) => {
    const [a, b] = [project(g, x, "a"), project(g, x, "b")];
    return { alone: a, y: g.relu(g.concat([a, b], 1)) };
  });
  const outputOf = (opType: string) =>
    graph.nodes.filter((node) => node.opType === opType).map(({ outputs }) => outputs[0]!);
  const taken = outputOf("FusedMatMul").join("|");
  const renamed = renameValues(graph, (name) => (name === outputOf("Concat")[0] ? taken : name));
  const [segment] = segmentsOf(renamed);
  const made = decodeOnnx(segment!.onnx).nodes.flatMap(({ outputs }) => outputs);
  expect(made).toContain(taken);
  expect(made).toHaveLength(new Set(made).size);
});

it("a product that is an output of the graph keeps its name, and is split off for that", () => {
  const graph = graphOf((g, x) => {
    const [a, b] = [project(g, x, "a"), project(g, x, "b")];
    return { alone: a, y: g.relu(g.concat([a, b], 1)) };
  });
  const [segment] = segmentsOf(graph);
  expect(operatorsOf(segment!)).toEqual(["FusedMatMul", "Split", "Concat", "Relu"]);
  expect(segment!.outputs).toEqual(graph.outputs.map(({ name }) => name));
});
