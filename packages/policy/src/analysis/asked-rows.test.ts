import { type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { expect, it } from "vitest";
import { precisionOf } from "../precision/precision.js";
import { prepareGraph } from "../preparation/prepare-graph.js";
import { parameter } from "../testing/graphs.js";
import { chooseRowsEarly } from "./asked-rows.js";

const width = 12;
const inner = 20;
const vocabulary = 40;

type Make = (g: GraphBuilder, x: Value) => Value;

const feed: Make = (g, x) => {
  const up = g.relu(g.matmul(x, g.weight("up", parameter(width, inner))));
  const down = g.matmul(up, g.weight("down", parameter(inner, width)));
  return g.add(down, g.weight("bias", parameter(width)));
};

/** Mixes rows: `[batch, sequence, width]` to the same. */
const mix: Make = (g, x) => g.matmul(g.softmax(g.matmulTransposed(x, x, 1)), x);

/** A model that mixes the rows of `x`, applies `make`, and has a head for chosen rows. */
function modelOf(make: Make): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", "sequence", width]);
  const chosen = g.input("chosen", "int64", ["rows"]);
  const made = make(g, mix(g, x));
  const rows = g.gather(g.reshape(made, [-1, width]), chosen, 0);
  g.output("logits", g.matmul(rows, g.weight("head", parameter(width, vocabulary))), "float32", [
    "rows",
    vocabulary,
  ]);
  return g.build();
}

/** By matrix: whether its product computes all rows, or only the chosen ones. */
function rowsOfProducts(graph: Graph): Record<string, "all" | "chosen"> {
  const { graph: early, shapes } = chooseRowsEarly(prepareGraph(graph, precisionOf()));
  const chosen = shapes.get("chosen")!.dims[0]!;
  const products = early.nodes.filter(
    ({ opType, inputs }) => opType === "MatMul" && graph.weights.has(inputs[1]!),
  );
  return Object.fromEntries(
    products.map(({ inputs }) => {
      const dims = shapes.get(inputs[0]!)!.dims.slice(0, -1);
      const isChosen =
        dims.at(-1)!.join() === chosen.join() && dims.slice(0, -1).every(([size]) => size === 1);
      return [inputs[1]!, isChosen ? "chosen" : "all"];
    }),
  );
}

it("row-by-row operators compute only the rows that are chosen at the end", () => {
  const graph = modelOf((g, x) => g.add(x, feed(g, g.rmsNormalization(x, g.numbers([1], [1]), 1e-6))));
  expect(rowsOfProducts(graph)).toEqual({ up: "chosen", down: "chosen", head: "chosen" });
});

it("operators before one that mixes rows compute all rows", () => {
  const graph = modelOf((g, x) => mix(g, feed(g, x)));
  expect(rowsOfProducts(graph)).toEqual({ up: "all", down: "all", head: "chosen" });
});

it("values that are also read by others are computed for all rows", () => {
  const graph = modelOf((g, x) => {
    const fed = feed(g, x);
    g.output("rows", fed, "float32", ["batch", "sequence", width]);
    return g.add(x, fed);
  });
  expect(rowsOfProducts(graph)).toEqual({ up: "all", down: "all", head: "chosen" });
});

it("rows are also chosen from an operand that differs between rows", () => {
  const graph = modelOf((g, x) => {
    const gate = g.input("gate", "float32", ["batch", "sequence", 1]);
    return g.mul(feed(g, x), gate);
  });
  expect(rowsOfProducts(graph)).toEqual({ up: "chosen", down: "chosen", head: "chosen" });
});

it.each([
  ["of three axes", [1, 1, width]],
  ["of one", [width]],
])("rows are not chosen from an operand %s that is the same for all rows", (_, dims) => {
  const graph = modelOf((g, x) => g.add(feed(g, x), g.weight("row", parameter(...dims))));
  const { graph: early, shapes } = chooseRowsEarly(prepareGraph(graph, precisionOf()));
  expect(rowsOfProducts(graph)).toEqual({ up: "chosen", down: "chosen", head: "chosen" });
  expect(early.nodes.filter(({ opType }) => opType === "Gather")).toHaveLength(1);
  expect(
    shapes
      .get("logits")!
      .dims.map(([size]) => size)
      .at(-1),
  ).toBe(vocabulary);
});

it("chosen rows are a matrix, and need no further reshape", () => {
  const graph = modelOf((g, x) =>
    g.add(x, feed(g, g.layerNormalization(x, g.numbers([1], [1]), undefined, 1e-5))),
  );
  const { graph: early } = chooseRowsEarly(prepareGraph(graph, precisionOf()));
  const operators = early.nodes.map(({ opType }) => opType);
  const rest = ["LayerNormalization", "MatMul", "Relu", "MatMul", "Add", "Add", "MatMul"];
  expect(operators.slice(operators.indexOf("Reshape"))).toEqual(["Reshape", "Gather", ...rest]);
});

it("rows are not chosen if an operand has a row per position of a sequence", () => {
  const graph = modelOf((g, x) => g.add(feed(g, x), g.input("places", "float32", ["sequence", width])));
  expect(rowsOfProducts(graph)).toEqual({ up: "all", down: "all", head: "chosen" });
});

it("nothing is changed if no product would have fewer rows", () => {
  const prepared = prepareGraph(
    modelOf((g, x) => g.relu(x)),
    precisionOf(),
  );
  expect(chooseRowsEarly(prepared)).toBe(prepared);
});
