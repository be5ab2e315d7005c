import { renameValues, reorderNodes } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import {
  feedForward,
  onlyNorm,
  parallelFeedForwards,
  serialFeedForwards,
  unknownOperator,
} from "../testing/graphs.js";
import { buildPrograms, planGraph, policyFromJSON } from "./plan.js";

describe("a feed-forward on two ranks", () => {
  const policy = planGraph(feedForward(), { ranks: 2 });

  it("is split by columns on the way up and by rows on the way down", () => {
    expect(policy.weights["a.up"]).toMatchObject({ placement: "column-parallel", axis: 1 });
    expect(policy.weights["a.down"]).toMatchObject({ placement: "row-parallel", axis: 0 });
  });

  it("pays one all-reduce", () => {
    expect(policy.predicted.allReducesPerToken).toBe(1);
  });

  it("adds the bias on one rank only, so only that rank keeps it", () => {
    expect(policy.weights["a.bias"]).toMatchObject({ placement: "replicated", bytesPerRank: [48, 0] });
  });

  it("predicts the bytes that its programs keep", () => {
    const programs = buildPrograms(feedForward(), policy);
    expect(programs.map(({ bytes }) => bytes)).toEqual(policy.bytesPerRank);
  });
});

describe("sums are owed as long as possible", () => {
  it("parallel branches share one all-reduce", () => {
    expect(planGraph(parallelFeedForwards(), { ranks: 2 }).predicted.allReducesPerToken).toBe(1);
  });

  it("branches with a norm between them pay one each", () => {
    expect(planGraph(serialFeedForwards(), { ranks: 2 }).predicted.allReducesPerToken).toBe(2);
  });
});

describe("nothing is hidden", () => {
  it("refuses to run copies where nothing can be sharded", () => {
    expectCode("RR_NOTHING_SHARDED", () => planGraph(onlyNorm(), { ranks: 2 }));
  });

  it("takes the same model on one rank", () => {
    expect(planGraph(onlyNorm(), { ranks: 1 }).bytesPerRank).toEqual([48]);
  });

  it("names an operator without a rule, and keeps what it touches whole", () => {
    const policy = planGraph(unknownOperator(), { ranks: 2 });
    expect(policy.unruled.map(({ operator }) => operator)).toEqual(["Hardmax"]);
    expect(policy.weights.up).toMatchObject({ placement: "replicated" });
    expect(policy.weights.up?.reason).toContain("no rule for this operator by Hardmax");
    expect(policy.weights["known.up"]).toMatchObject({ placement: "column-parallel" });
    expect(policy.table({ short: true })).toContain("no rule for Hardmax");
  });

  it("refuses a limit that no plan fits", () => {
    expectCode("RR_MEMORY", () => planGraph(feedForward(), { ranks: 2, memoryPerRank: 100 }));
  });
});

describe("names and order decide nothing", () => {
  it("a renamed and reordered graph is placed alike", () => {
    const graph = serialFeedForwards();
    const names = new Map<string, string>();
    const rename = (name: string): string => {
      if (!names.has(name)) names.set(name, `n${(names.size * 7919) % 1009}`);
      return names.get(name)!;
    };
    const shuffled = reorderNodes(renameValues(graph, rename), (candidates) => candidates - 1);
    const before = planGraph(graph, { ranks: 3 });
    const after = planGraph(shuffled, { ranks: 3 });
    for (const [name, { placement, axis, bytesPerRank }] of Object.entries(before.weights)) {
      expect(after.weights[rename(name)]).toMatchObject({
        placement,
        bytesPerRank,
        ...(axis === undefined ? {} : { axis }),
      });
    }
    expect(after.predicted).toEqual(before.predicted);
  });
});

describe("a policy that was written down", () => {
  const graph = serialFeedForwards();
  const written = JSON.parse(JSON.stringify(planGraph(graph, { ranks: 2 }).toJSON()));

  it("is the same when read back", () => {
    expect(policyFromJSON(graph, written, { ranks: 2 }).toJSON()).toEqual(
      planGraph(graph, { ranks: 2 }).toJSON(),
    );
  });

  it("is taken back for a graph whose constants are nodes", () => {
    const value = { kind: "tensor", value: { type: "float32", dims: [], data: Float32Array.of(2) } } as const;
    const two = { opType: "Constant", domain: "", inputs: [], outputs: ["two"], attributes: { value } };
    const withConstant = { ...graph, nodes: [two, ...graph.nodes] };
    const policy = planGraph(withConstant, { ranks: 2 });
    expect(policyFromJSON(withConstant, policy.toJSON(), { ranks: 2 }).toJSON()).toEqual(policy.toJSON());
  });

  it("can be changed by hand: a factor left whole is replicated", () => {
    const factors = written.factors.map((factor: object) => ({ ...factor, sharded: false }));
    const policy = policyFromJSON(graph, { ...written, factors }, { ranks: 2 });
    expect(policy.bytesPerRank).toEqual([policy.totalBytes, policy.totalBytes]);
  });

  it.each([
    ["another world size", written, { ranks: 3 }],
    ["another graph", { ...written, graph: "0" }, { ranks: 2 }],
    ["another version", { ...written, version: 0 }, { ranks: 2 }],
    ["something else altogether", "policy", { ranks: 2 }],
    [
      "a factor that the graph does not have",
      { ...written, factors: [{ id: 99, sharded: true }] },
      { ranks: 2 },
    ],
    ["one factor twice", { ...written, factors: [written.factors[0], written.factors[0]] }, { ranks: 2 }],
  ])("is refused for %s", (_, data, options) => {
    expectCode("RR_POLICY", () => policyFromJSON(graph, data, options));
  });
});
