import { buildGraph, type Graph, GraphBuilder } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { propagateFactors } from "../analysis/propagate.js";
import { planGraph } from "../plan.js";
import { precisionOf } from "../precision/precision.js";
import { attentionGraph, lanes } from "../testing/attention-graph.js";
import { parameter, serialFeedForwards } from "../testing/graphs.js";
import { costOf, referenceStep } from "./cost.js";
import type { Placement } from "./placement.js";

const nothing: Placement = {
  paid: new Set(),
  partial: new Set(),
  largest: new Set(),
  gathered: new Map(),
};

describe("a token is predicted to take longer", () => {
  const seconds = (bytesRead: number, placement: Placement, size: number): number =>
    costOf(bytesRead, placement, () => size).secondsPerToken;
  const summed = { ...nothing, paid: new Set(["y"]) };
  const gathered = { ...nothing, gathered: new Map([["whole", "part"]]) };

  it.each([
    ["by the bytes that a rank reads", [2e9, nothing, 0], [1e9, nothing, 0]],
    ["by each all-reduce, however small", [1e9, summed, 0], [1e9, nothing, 0]],
    ["by each all-gather, however small", [1e9, gathered, 0], [1e9, nothing, 0]],
    ["by the bytes of an all-reduce", [1e9, summed, 1e6], [1e9, summed, 0]],
    ["by the bytes of an all-gather", [1e9, gathered, 1e6], [1e9, gathered, 0]],
  ] satisfies [string, Parameters<typeof seconds>, Parameters<typeof seconds>][])("%s", (_, more, less) => {
    expect(seconds(...more)).toBeGreaterThan(seconds(...less));
  });
});

it("if the objective is time, weights that are read faster than ranks meet stay whole", () => {
  const { weights } = planGraph(serialFeedForwards(1_000_000), { ranks: 2, objective: "time" });
  expect(weights["a.up"]).toMatchObject({ placement: "replicated" });
  expect(weights["b.up"]).toMatchObject({ placement: "column-parallel" });
});

describe("values are measured in a step with this many cached positions:", () => {
  const pastKeys = (window?: number): number => {
    const graph = attentionGraph();
    const caches = graph.caches.map((cache) => ({ ...cache, ...(window !== undefined && { window }) }));
    return referenceStep(propagateFactors({ ...graph, caches }, precisionOf())).bytesOf("past.key");
  };
  const [keyValueHeads, float] = [2, 4];

  it("512 positions", () => {
    expect(pastKeys()).toBe(keyValueHeads * 512 * lanes * float);
  });

  it("no more than the window", () => {
    expect(pastKeys(100)).toBe(keyValueHeads * 100 * lanes * float);
  });
});

describe("the prediction is for", () => {
  const stepOf = (graph: Graph): string => planGraph(graph, { ranks: 2 }).predicted.step;
  /** A graph for sequences of this many positions, or of any length. */
  const positioned = (rows: number): Graph => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["batch", "sequence", 8]);
    const cut = g.node("Slice", [
      g.weight("positions", parameter(rows, 8)),
      g.integers([0]),
      g.shape(x, 1, 2),
      g.integers([0]),
    ]);
    const y = g.matmul(g.add(x, cut), g.weight("w", parameter(8, 16)));
    g.output("y", y, "float32", ["batch", "sequence", 16]);
    return g.build();
  };

  it("a token, with a cache", () => {
    expect(stepOf(attentionGraph())).toBe("a token");
  });

  it("a token of source and target, with an encoder that fills a cache", () => {
    const sizes = { d_model: 64, d_kv: 8, d_ff: 64, num_layers: 1, num_heads: 8, vocab_size: 320 };
    const { graph } = buildGraph({ config: { model_type: "t5", ...sizes }, tensors: undefined });
    expect(stepOf(graph)).toBe("a token of source and target");
  });

  it("a run of 512 without a cache, halved as often as necessary", () => {
    expect(stepOf(serialFeedForwards())).toBe("a run of length 512");
    expect(stepOf(positioned(130))).toBe("a run of length 128");
  });

  it("a run, if there is no length to choose", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["batch", 8]);
    g.output("y", g.matmul(x, g.weight("w", parameter(8, 16))), "float32", ["batch", 16]);
    expect(stepOf(g.build())).toBe("a run");
  });
});
