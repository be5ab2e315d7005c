import { type DataType, type Graph, GraphBuilder, int, type Value } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { buildPrograms, planGraph } from "../../plan.js";
import { parameter } from "../../testing/graphs.js";
import type { Interpretable } from "../segment-work.js";

type Work = (g: GraphBuilder, x: Value, ids: Value) => Value;

describe("nodes that a rank can interpret are described", () => {
  it("for a choice of rows, by the numbers of values", () => {
    expect(only((g, x, ids) => g.gather(g.reshape(x, [-1, 8]), ids, 0))).toEqual({
      constants: [{ type: "int64", dims: [2], elements: [-1, 8] }],
      instructions: [
        { operator: "Reshape", operands: [0, 2] },
        { operator: "Gather", operands: [3, 1] },
      ],
      outputs: [4],
    });
  });

  it.each<[string, Work, Interpretable["instructions"]]>([
    [
      "an axis",
      (g, x) => g.concat([x, g.cos(x)], -1),
      [
        { operator: "Cos", operands: [0] },
        { operator: "Concat", operands: [0, 1], axis: -1 },
      ],
    ],
    [
      "a type",
      (g, _, ids) => g.cast(g.cast(ids, "bool"), "float32"),
      [
        { operator: "Cast", operands: [0], to: "bool" },
        { operator: "Cast", operands: [1], to: "float32" },
      ],
    ],
    ["bounds", (g, x) => g.shape(x, 1, 2), [{ operator: "Shape", operands: [0], start: 1, end: 2 }]],
  ])("with %s", (_, work, instructions) => {
    expect(only(work)?.instructions).toEqual(instructions);
  });

  it("for lookups, by the names of weights", () => {
    const work: Work = (g, _, ids) =>
      g.add(g.gather(g.weight("words", parameter(100, 64)), ids, 0), lookUp(g, ids));
    expect(only(work)).toEqual({
      constants: [],
      instructions: [
        { operator: "Gather", operands: [0], table: { values: "words" } },
        {
          operator: "Gather",
          operands: [0],
          table: { values: "values", blocks: { bits: 4, size: 32, scales: "scales" } },
        },
        { operator: "Add", operands: [1, 2] },
      ],
      outputs: [3],
    });
  });

  it("for a decoder's rows, once for all equal steps", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["rows", 64]);
    const chosen = g.input("chosen", "int64", ["chosen"]);
    const product = (x: Value, name: string): Value =>
      g.matmulTransposed(x, g.weight(name, parameter(64, 64)));
    const rows = g.gather(g.reshape(product(x, "a"), [-1, 64]), chosen, 0);
    const others = g.gather(g.reshape(product(g.softmax(x), "b"), [-1, 64]), chosen, 0);
    g.output("y", product(g.add(product(rows, "c"), product(others, "d")), "e"), "float32", ["chosen", 64]);
    const told = toldOf(g.build(), "int4");
    expect(told).toHaveLength(1);
  });
});

describe("a segment is not described", () => {
  it.each<[string, Work]>([
    ["with another operator", (g, x) => g.cos(g.softmax(x))],
    ["that gathers along another axis", (g, x, ids) => g.gather(x, ids, 1)],
    ["that is elementwise, and described as that", (g, x) => g.add(x, x)],
    ["with a type that is not interpreted", (g, x) => g.cast(g.cast(x, "float16"), "float32")],
    ["with an integer that is not exact as a number", (g, _, ids) => g.add(ids, int64(g, 2n ** 60n))],
    [
      "whose Reshape has 0 as a size",
      (g, x) => g.node("Reshape", [x, g.integers([-1, 4])], { attributes: { allowzero: yes } }),
    ],
    ["with a lookup in a table of float16", (g, _, ids) => g.cast(g.gather(halves(g), ids, 0), "float32")],
    ["with scales of float16", (g, _, ids) => g.cast(lookUp(g, ids, "float16"), "float32")],
    [
      "with indices of 32 bits",
      (g, _, ids) => g.gather(g.weight("t", parameter(9, 8)), g.cast(ids, "int32"), 0),
    ],
    ["with a lookup of columns", (g, _, ids) => g.gather(g.weight("t", parameter(9, 8)), ids, 1)],
    [
      "with a weight that is more than looked up",
      (g, _, ids) => {
        const table = g.weight("t", parameter(1, 8));
        return g.mul(g.gather(table, ids, 0), table);
      },
    ],
    ["with a long constant", (g, x) => g.mul(x, g.numbers(new Array(8192).fill(1), [1024, 1, 8]))],
  ])("%s", (_, work) => {
    expect(only(work)).toBeUndefined();
  });
});

it("nodes are only described if their sizes do not depend on other segments", () => {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["rows", 64]);
  const sizes = g.concat([g.shape(x, 0, 1), g.integers([2, 32])], 0);
  const product = g.matmulTransposed(g.softmax(x), g.weight("a", parameter(64, 64)));
  g.output("y", g.cos(g.reshapeBy(product, sizes)), "float32", ["rows", 2, 32]);
  expect(toldOf(g.build(), "int4")).toEqual([]);
});

/** Rows of 64 numbers of 4 bits. */
function lookUp(g: GraphBuilder, ids: Value, type: DataType = "float32"): Value {
  const table = g.weight("values", { ...parameter(100, 32), type: "uint8" });
  const scales = g.weight("scales", { ...parameter(100, 2), type });
  const attributes = { bits: int(4), block_size: int(32), gather_axis: int(0), quantize_axis: int(1) };
  return g.node("GatherBlockQuantized", [table, ids, scales], { domain: "com.microsoft", attributes });
}

const halves = (g: GraphBuilder): Value => g.weight("halves", { ...parameter(100, 8), type: "float16" });

const yes = { kind: "int", value: 1 } as const;

const int64 = (g: GraphBuilder, value: bigint): Value =>
  g.constant({ type: "int64", dims: [], data: BigInt64Array.of(value) });

/** The description of a graph with only this work. */
function only(work: Work): Interpretable | undefined {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", 8]);
  const ids = g.input("ids", "int64", ["ids"]);
  g.output("y", work(g, x, ids), "float32", []);
  return toldOf(g.build())[0];
}

function toldOf(graph: Graph, precision: "float32" | "int4" = "float32"): Interpretable[] {
  const [program] = buildPrograms(graph, planGraph(graph, { ranks: 1, precision }), {
    products: ["quantized"],
  });
  return program!.segments.flatMap(({ interpretable }) => interpretable ?? []);
}
