import { type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { buildPrograms, planGraph } from "../../plan.js";
import { parameter } from "../../testing/graphs.js";
import type { RankProgram } from "../program.js";
import type { Elementwise, ElementwiseOperand } from "../segment-work.js";

const width = 64;

describe("a segment's elementwise work is described", () => {
  it("for a gate, by the numbers of values", () => {
    const told = onlyOne((g, x, y) => g.mul(g.quickGelu(x, 1), y));
    expect(told).toEqual({
      instructions: [
        { operation: "sigmoid", operands: [{ value: 0 }] },
        { operation: "multiply", operands: [{ value: 0 }, { value: 2 }] },
        { operation: "multiply", operands: [{ value: 3 }, { value: 1 }] },
      ],
      outputs: [4],
    });
  });

  it.each<[string, Activation, string]>([
    ["Relu", (g, x) => g.relu(x), "max(x, 0)"],
    ["Neg", (g, x) => g.node("Neg", [x]), "(x * -1)"],
    ["a gate that is scaled", (g, x) => g.quickGelu(x, 2), "(x * sigmoid((x * 2)))"],
    ["Sigmoid and Mul", (g, x) => g.mul(x, g.sigmoid(x)), "(x * sigmoid(x))"],
    ["a square", (g, x) => g.pow(g.relu(x), g.numbers([2])), "(max(x, 0) * max(x, 0))"],
    ["a cube by an integer", (g, x) => g.pow(x, g.integer(3)), "((x * x) * x)"],
    ["a difference from a constant", (g, x) => g.sub(g.numbers([1], [1]), g.sqrt(x)), "(1 - sqrt(x))"],
    ["both bounds", (g, x) => g.clip(x, g.numbers([0]), g.numbers([6])), "min(max(x, 0), 6)"],
    [
      "a Clip with an upper bound only",
      (g, x) => g.node("Clip", [x, undefined, g.numbers([6])]),
      "min(x, 6)",
    ],
    ["two values", (g, x, y) => g.div(g.min(x, y), g.max(x, y)), "(min(x, y) / max(x, y))"],
    ["Gelu", (g, x) => g.gelu(x, "none"), `((x * 0.5) * (erf((x * ${Math.SQRT1_2})) + 1))`],
    [
      "Gelu by tanh, of either domain",
      (g, x) => g.sub(g.gelu(x, "tanh"), g.node("FastGelu", [x], { domain: "com.microsoft" })),
      `(${tanhGelu} - ${tanhGelu})`,
    ],
    [
      "an exporter's operators, with a node that has no effect",
      (g, x) => g.mul(g.tanh(g.node("Identity", [x])), g.node("Exp", [x])),
      "(tanh(x) * exp(x))",
    ],
  ])("for %s", (_, activation, expected) => {
    expect(formula(onlyOne(activation)!)).toEqual([expected]);
  });

  it("for several values that are read later", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["rows", width]);
    const gate = g.sigmoid(x);
    g.output("gate", gate, "float32", ["rows", width]);
    g.output("gated", g.mul(gate, x), "float32", ["rows", width]);
    expect(formula(described(g.build())[0]!)).toEqual(["sigmoid(x)", "(sigmoid(x) * x)"]);
  });

  it("for an activation between products, on each rank, once for all layers", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["rows", width]);
    const feed = (x: Value, name: string): Value => {
      const [gate, up, down] = ["gate", "up", "down"].map((one) =>
        g.weight(`${name}.${one}`, parameter(width, width)),
      );
      const gated = g.mul(g.gelu(g.matmulTransposed(x, gate!), "tanh"), g.matmulTransposed(x, up!));
      return g.rmsNormalization(
        g.matmulTransposed(gated, down!),
        g.weight(`${name}.norm`, parameter(width)),
        1e-6,
      );
    };
    g.output("y", feed(feed(x, "a"), "b"), "float32", ["rows", width]);
    const graph = g.build();
    const policy = planGraph(graph, { ranks: 2, precision: "int4" });
    for (const program of buildPrograms(graph, policy, { products: ["quantized"] })) {
      expect(tellingOf(program).map(formula)).toEqual([[`(${tanhGelu} * y)`]]);
    }
  });
});

describe("a segment is not described", () => {
  it.each<[string, Activation]>([
    ["with an operator of another kind", (g, x) => g.mul(g.softmax(x), x)],
    ["with an unsupported function", (g, x) => g.cos(x)],
    ["with an unsupported power", (g, x) => g.pow(x, g.numbers([1.5]))],
    ["with a value as the exponent", (g, x, y) => g.pow(x, y)],
    ["that adds a row", (g, x) => g.add(x, g.numbers(new Array(width).fill(1), [width]))],
    ["whose constant adds an axis", (g, x) => g.add(x, g.numbers([1], [1, 1, 1]))],
    ["with a bias in its activation", (g, x) => g.node("FastGelu", [x, row(g)], { domain: "com.microsoft" })],
    ["that only renames a value", (g, x) => g.node("Identity", [x])],
  ])("%s", (_, activation) => {
    expect(onlyOne(activation)).toBeUndefined();
  });

  it("whose values have different shapes", () => {
    const g = new GraphBuilder();
    const [x, y] = [g.input("x", "float32", ["rows", width]), g.input("y", "float32", [1, width])];
    g.output("z", g.mul(x, g.relu(y)), "float32", ["rows", width]);
    expect(described(g.build())).toEqual([]);
  });

  it("whose values have another type", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "int64", ["rows", width]);
    g.output("y", g.mul(x, x), "int64", ["rows", width]);
    expect(described(g.build())).toEqual([]);
  });
});

type Activation = (g: GraphBuilder, x: Value, y: Value) => Value;

const tanhGelu = `(x * sigmoid(((x * ${Math.sqrt(8 / Math.PI)}) * (((x * x) * 0.044715) + 1))))`;

const row = (g: GraphBuilder): Value => g.numbers(new Array(width).fill(1), [width]);

/** The description of a graph with only this activation. */
function onlyOne(activation: Activation): Elementwise | undefined {
  const g = new GraphBuilder();
  const [x, y] = ["x", "y"].map((name) => g.input(name, "float32", ["rows", width]));
  g.output("z", activation(g, x!, y!), "float32", ["rows", width]);
  return described(g.build())[0];
}

function described(graph: Graph): Elementwise[] {
  return tellingOf(buildPrograms(graph, planGraph(graph, { ranks: 1 }))[0]!);
}

function tellingOf({ segments }: RankProgram): Elementwise[] {
  return segments.flatMap(({ elementwise }) => elementwise ?? []);
}

const symbols: Readonly<Record<string, string>> = { add: "+", subtract: "-", multiply: "*", divide: "/" };

/** By output, in mathematical notation; inputs are x and y. */
function formula({ instructions, outputs }: Elementwise): string[] {
  const reads = instructions.flatMap(({ operands }) => operands);
  const inputs =
    Math.max(...outputs, ...reads.map((one) => ("value" in one ? one.value : 0))) + 1 - instructions.length;
  const text = (operand: ElementwiseOperand): string => {
    if ("constant" in operand) return String(operand.constant);
    if (operand.value < inputs) return "xy"[operand.value]!;
    const { operation, operands } = instructions[operand.value - inputs]!;
    const [left, right] = operands.map(text);
    if (operation in symbols) return `(${left} ${symbols[operation]} ${right})`;
    const name = operation.replace("imum", "");
    return right === undefined ? `${name}(${left})` : `${name}(${left}, ${right})`;
  };
  return outputs.map((value) => text({ value }));
}
