import { type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { buildPrograms, planGraph } from "../plan.js";
import { precisionOf } from "../precision/precision.js";
import { parameter } from "../testing/graphs.js";
import { propagateFactors } from "./propagate.js";
import { findRoutedExperts } from "./routed-experts.js";

const [experts, width, inner] = [6, 8, 20];

/** `Σ_e w_e · (relu(x·up_e)·down_e)` after a norm; `between` may change the hidden rows. */
function mixture(between: (g: GraphBuilder, hidden: Value) => Value = (_, hidden) => hidden): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["rows", width]);
  const weights = g.input("w", "float32", ["rows", experts]);
  const normed = g.rmsNormalization(x, g.numbers(new Array(width).fill(1), [width]), 1e-6);
  const up = g.matmul(normed, g.weight("up", parameter(experts, width, inner)));
  const down = g.matmul(between(g, g.relu(up)), g.weight("down", parameter(experts, inner, width)));
  const sum = g.reduceSum(g.mul(down, g.unsqueeze(g.transpose(weights, [1, 0]), [2])), [0]);
  g.output("y", g.add(x, g.squeeze(sum, [0])), "float32", ["rows", width]);
  return g.build();
}

const found = (graph: Graph) => findRoutedExperts(propagateFactors(graph, precisionOf()));

describe("a sum over experts of their results for every row, times a weight", () => {
  it("is recognised from the dataflow", () => {
    const [routed, ...others] = found(mixture());
    expect(others).toEqual([]);
    expect(routed!.experts.size).toEqual([experts, experts]);
    expect(routed!.body).toHaveLength(3);
  });

  it("is not recognised if experts are mixed", () => {
    const softmaxOverExperts = (g: GraphBuilder, hidden: Value): Value =>
      g.transpose(g.softmax(g.transpose(hidden, [1, 2, 0])), [2, 0, 1]);
    expect(found(mixture(softmaxOverExperts))).toEqual([]);
  });

  it("is not recognised if rows are mixed", () => {
    const sumOfRows = (g: GraphBuilder, hidden: Value): Value => g.add(hidden, g.reduceSum(hidden, [1]));
    expect(found(mixture(sumOfRows))).toEqual([]);
  });

  it("is not recognised if an expert's weights are in the graph itself, not in a file", () => {
    const scaled = (g: GraphBuilder, hidden: Value): Value =>
      g.mul(hidden, g.numbers([1, 2, 3, 4, 5, 6], [experts, 1, 1]));
    expect(found(mixture(scaled))).toEqual([]);
  });
});

describe("a program with routed experts", () => {
  // The routing weights are whole, so experts stay whole, and their width is sharded.
  const programs = buildPrograms(mixture(), planGraph(mixture(), { ranks: 2 }));

  it("runs one expert's session for each expert's rows, between the steps before and after", () => {
    for (const { entries } of programs) {
      expect(entries.forward!.steps.map(({ kind }) => kind)).toEqual(["run", "routed", "run", "allReduce"]);
    }
  });

  it("feeds each expert its part of the rank's stacks", () => {
    const [, routed] = programs[1]!.entries.forward!.steps;
    expect(routed).toMatchObject({ kind: "routed", expert: { stacks: ["up", "down"] } });
    expect(programs[1]!.weights.up!.dims).toEqual([experts, width, inner / 2]);
    expect(programs[1]!.bytes).toBe((2 * experts * width * inner * 4) / 2);
  });
});
