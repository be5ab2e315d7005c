import { type Graph, GraphBuilder, renameValues, reorderNodes, type Value } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { expectCode } from "../../../test/support/coded-error.js";
import type { PartitionPolicy } from "./partition-policy/partition-policy.js";
import { buildPrograms, graphInPrecision, planGraph, policyFromJSON } from "./plan.js";
import { attentionGraph } from "./testing/attention-graph.js";
import {
  feedForward,
  onlyNorm,
  parallelFeedForwards,
  parameter,
  serialFeedForwards,
  sizes,
  unknownOperator,
} from "./testing/graphs.js";

describe("a feed-forward on two ranks", () => {
  const policy = planGraph(feedForward(), { ranks: 2 });

  it("is split by columns in `up` and by rows in `down`", () => {
    expect(policy.weights["a.up"]).toMatchObject({ placement: "column-parallel", axis: 1 });
    expect(policy.weights["a.down"]).toMatchObject({ placement: "row-parallel", axis: 0 });
  });

  it("needs one all-reduce", () => {
    expect(policy.predicted.allReducesPerToken).toBe(1);
  });

  it("keeps the bias on every rank, since each adds it to the sum", () => {
    expect(policy.weights["a.bias"]).toMatchObject({ placement: "replicated", bytesPerRank: [48, 48] });
  });

  it("predicts the bytes that its programs keep", () => {
    const programs = buildPrograms(feedForward(), policy);
    expect(programs.map(({ bytes }) => bytes)).toEqual(policy.bytesPerRank);
  });
});

describe("an invalid number of ranks", () => {
  it.each([0, -1, 1.5, 65, Number.NaN, Number.POSITIVE_INFINITY])("is refused: %d", (ranks) => {
    const { message } = expectCode("RR_RANKS", () => planGraph(feedForward(), { ranks }));
    expect(message).toContain(`got ${ranks}`);
  });
});

describe("what is no graph, or no policy", () => {
  it.each([undefined, {}, { nodes: [] }])("is refused: %j", (graph) => {
    const { message } = expectCode("RR_GRAPH", () => planGraph(graph as unknown as Graph, { ranks: 2 }));
    expect(message).toContain("expected a Graph");
  });

  it("is refused, with how to make a policy of its JSON", () => {
    const data = planGraph(feedForward(), { ranks: 2 }).toJSON();
    const { message } = expectCode("RR_POLICY", () =>
      buildPrograms(feedForward(), data as unknown as PartitionPolicy),
    );
    expect(message).toContain("policyFromJSON");
  });
});

describe("an invalid option", () => {
  it.each<[string, object]>([
    ["another name", { objectiv: "time" }],
    ["an objective", { objective: "speed" }],
    ["a precision", { precision: "int5" }],
    ["activations", { precision: "int4", activations: "int4" }],
    ["int8 activations of float32 weights", { activations: "int8" }],
    ["memory", { memoryPerRank: Number.NaN }],
  ])("is refused: %s", (_, options) => {
    expectCode("RR_OPTION", () => planGraph(feedForward(), { ranks: 2, ...options }));
    const written = planGraph(feedForward(), { ranks: 2 }).toJSON();
    expectCode("RR_OPTION", () => policyFromJSON(feedForward(), written, { ranks: 2, ...options }));
  });

  it.each<[string, object]>([
    ["another name", { product: ["float32"] }],
    ["an unknown kind of product", { products: ["float16"] }],
    ["kinds of products that are not a list", { products: "float32" }],
  ])("is refused when programs are built: %s", (_, options) => {
    const graph = feedForward();
    const policy = planGraph(graph, { ranks: 2 });
    expectCode("RR_OPTION", () => buildPrograms(graph, policy, options));
  });
});

describe("more ranks than heads", () => {
  it("do not share a head's lanes if heads and lanes are separate axes of an output", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["batch", 8]);
    const up = g.weight("up", { type: "float32", dims: [8, 4 * 6], source: { kind: "absent" } });
    g.output("y", g.reshape(g.matmul(x, up), [0, 4, 6]), "float32", []);
    const graph = g.build();
    const policy = planGraph(graph, { ranks: 5 });
    expect(policy.factors.map(({ within }) => within)).toEqual([1, 1]);
    expect(buildPrograms(graph, policy)).toHaveLength(5);
  });

  it("share the factor of a head with the most parameters", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["batch", 12]);
    const units = (name: string, within: number, shape: readonly number[]): Value =>
      g.reshape(g.matmul(x, g.weight(name, parameter(12, 2 * within))), shape);
    const product = g.mul(units("narrow", 5, [0, 2, 5, 1]), units("wide", 40, [0, 2, 1, 40]));
    g.output("y", g.reshape(product, [0, 2 * 5 * 40]), "float32", ["batch", 400]);
    const { weights } = planGraph(g.build(), { ranks: 4 });
    expect(weights.narrow!.bytesPerRank[0]).toBe(12 * 5 * 4);
    expect(weights.wide!.bytesPerRank[0]).toBe(12 * 20 * 4);
  });
});

describe("an index outside its axis", () => {
  it.each([-5, 4])("is refused when planning: %i", (index) => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["batch", 4]);
    g.output("y", g.gather(x, g.integers([index]), 1), "float32", []);
    expectCode("RR_GRAPH", () => planGraph(g.build(), { ranks: 1 }));
  });
});

describe("an operator with invalid operands", () => {
  const image = (g: GraphBuilder): Value => g.input("x", "float32", [2, 6, 4]);
  it.each<[string, (g: GraphBuilder) => Value, string]>([
    ["no axis to sum along", (g) => g.node("CumSum", [image(g), g.integer(3)]), "CumSum"],
    ["too few axes", (g) => g.node("MeanVarianceNormalization", [image(g)]), "MeanVariance"],
    ["no axes", (g) => g.softmax(g.input("x", "float32", [])), "Softmax"],
    ["a scale", (g) => g.node("InstanceNormalization", [image(g)]), "InstanceNormalization"],
    ["channels", (g) => g.node("GlobalMaxPool", [g.input("x", "float32", [6])]), "GlobalMaxPool"],
    [
      "different sizes of input and output",
      (g) => g.node("Tanh", [image(g), g.numbers([1, 2, 3], [3])]),
      "Tanh",
    ],
  ])("is refused when planning, naming the operator: %s", (_, make, operator) => {
    const g = new GraphBuilder();
    g.output("y", make(g), "float32", []);
    expect(expectCode("RR_GRAPH", () => planGraph(g.build(), { ranks: 1 })).message).toContain(operator);
  });
});

describe("sums are owed as long as possible:", () => {
  it("parallel branches share one all-reduce", () => {
    expect(planGraph(parallelFeedForwards(), { ranks: 2 }).predicted.allReducesPerToken).toBe(1);
  });

  it("branches with a norm between them need one each", () => {
    expect(planGraph(serialFeedForwards(), { ranks: 2 }).predicted.allReducesPerToken).toBe(2);
  });
});

describe("nothing is hidden: planning", () => {
  it("refuses to run copies if nothing can be sharded", () => {
    expectCode("RR_NOTHING_SHARDED", () => planGraph(onlyNorm(), { ranks: 2 }));
  });

  it("is an error that says so if its matrices are constants inside the graph", () => {
    const g = new GraphBuilder();
    const inline = { kind: "inline", data: new Float32Array(64) } as const;
    const matrix = g.weight("matrix", { ...parameter(8, 8), source: inline });
    g.output("y", g.matmul(g.input("x", "float32", ["batch", 8]), matrix), "float32", ["batch", 8]);
    const { message } = expectCode("RR_NOTHING_SHARDED", () => planGraph(g.build(), { ranks: 2 }));
    expect(message).toContain("all of its weights are constants inside the graph (inline)");
  });

  it("says what needs the weights whole", () => {
    expect(() => planGraph(onlyNorm(), { ranks: 2 })).toThrow("normalized over by RMSNormalization");
  });

  it("accepts the same model on one rank", () => {
    expect(planGraph(onlyNorm(), { ranks: 1 }).bytesPerRank).toEqual([48]);
  });

  it("names an operator without a rule, what is gathered for it, and how to avoid that", () => {
    const policy = planGraph(unknownOperator(), { ranks: 2 });
    // 512 rows of the inner width, in float32: without a cache, the reference step computes its whole context.
    const gatheredBytes = 512 * 4 * sizes.inner;
    expect(policy.unruled).toEqual([
      {
        operator: "Hardmax",
        node: expect.any(String),
        weightBytes: 0,
        gatheredBytes,
        lift: expect.any(String),
      },
    ]);
    expect(policy.collectives).toContainEqual(
      expect.objectContaining({ kind: "allGather", bytes: gatheredBytes }),
    );
    expect(policy.weights.up).toMatchObject({ placement: "column-parallel" });
    expect(policy.weights.down).toMatchObject({ placement: "replicated" });
    expect(policy.weights.down?.reason).toContain("no rule by Hardmax");
    expect(policy.weights["known.up"]).toMatchObject({ placement: "column-parallel" });
    expect(policy.table({ short: true })).toContain("no rule for Hardmax");
  });

  it("shards more than saves time if a memory limit requires it", () => {
    const fullest = (memoryPerRank?: number): number =>
      Math.max(...planGraph(serialFeedForwards(400), { ranks: 2, memoryPerRank }).bytesPerRank);
    const unlimited = fullest();
    expect(fullest(unlimited)).toBe(unlimited);
    expect(fullest(unlimited - 1)).toBeLessThan(unlimited);
  });

  it("refuses a limit that no plan meets", () => {
    expectCode("RR_MEMORY", () => planGraph(feedForward(), { ranks: 2, memoryPerRank: 100 }));
  });
});

describe("names and order do not matter:", () => {
  it("a renamed and reordered graph gets the same placements", () => {
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

describe("a policy written as JSON", () => {
  const graph = serialFeedForwards();
  const written = JSON.parse(JSON.stringify(planGraph(graph, { ranks: 2 }).toJSON()));

  it("is the same when it is read again", () => {
    expect(policyFromJSON(graph, written, { ranks: 2 }).toJSON()).toEqual(
      planGraph(graph, { ranks: 2 }).toJSON(),
    );
  });

  it("is accepted for a graph whose constants are nodes", () => {
    const value = { kind: "tensor", value: { type: "float32", dims: [], data: Float32Array.of(2) } } as const;
    const two = { opType: "Constant", domain: "", inputs: [], outputs: ["two"], attributes: { value } };
    const withConstant = { ...graph, nodes: [two, ...graph.nodes] };
    const policy = planGraph(withConstant, { ranks: 2 });
    expect(policyFromJSON(withConstant, policy.toJSON(), { ranks: 2 }).toJSON()).toEqual(policy.toJSON());
  });

  it("is refused if a rank would exceed the memory limit", () => {
    const policy = planGraph(feedForward(), { ranks: 2 });
    const least = Math.max(...policy.bytesPerRank);
    const given = (memoryPerRank: number) =>
      policyFromJSON(feedForward(), policy.toJSON(), { ranks: 2, memoryPerRank });
    expect(given(least).bytesPerRank).toEqual(policy.bytesPerRank);
    expectCode("RR_MEMORY", () => given(least - 1));
  });

  it("can be edited: a factor left whole is replicated", () => {
    const factors = written.factors.map((factor: object) => ({ ...factor, sharded: false }));
    const policy = policyFromJSON(graph, { ...written, factors }, { ranks: 2 });
    expect(policy.bytesPerRank).toEqual([policy.totalBytes, policy.totalBytes]);
    for (const { reason } of policy.factors.filter(({ id }) => written.factors[id].sharded))
      expect(reason).toBe("the given policy leaves it whole");
  });

  /** A policy for two ranks that shards everything that could be sharded. */
  function shardingAll(graph: Graph): object {
    const policy = planGraph(graph, { ranks: 1 }).toJSON();
    return { ...policy, ranks: 2, factors: policy.factors.map((factor) => ({ ...factor, sharded: true })) };
  }

  it("is refused if it shards factors that meet, which the error names", () => {
    const heads = attentionGraph(undefined, 1, 32);
    const { message } = expectCode("RR_POLICY", () =>
      policyFromJSON(heads, shardingAll(heads), { ranks: 2 }),
    );
    expect(message).toMatch(
      /^the policy shards factor \d \(heads\) and factor \d \(groups\), which meet in one tensor; /,
    );
  });

  it("is refused if it leaves a sum that ranks cannot reduce, and the error names its factors", () => {
    const g = new GraphBuilder();
    const double = (...dims: number[]) => ({ ...parameter(...dims), type: "float64" as const });
    const up = g.matmul(g.input("x", "float64", ["batch", 8]), g.weight("up", double(8, 16)));
    g.output("y", g.matmul(up, g.weight("down", double(16, 8))), "float64", ["batch", 8]);
    const graph = g.build();
    const one = shardingAll(graph) as { factors: { id: number; label: string; sharded: boolean }[] };
    const factors = one.factors.map((factor) => ({ ...factor, sharded: factor.id === 0 }));
    const { message } = expectCode("RR_POLICY", () =>
      policyFromJSON(graph, { ...one, factors }, { ranks: 2 }),
    );
    expect(message).toContain(`the policy shards factor 0 (${factors[0]!.label}), of which some`);
  });

  it.each([
    ["another world size", written, { ranks: 3 }],
    ["another graph", { ...written, graph: "0" }, { ranks: 2 }],
    ["another version", { ...written, version: 0 }, { ranks: 2 }],
    ["something that is not a policy", "policy", { ranks: 2 }],
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

describe("a policy for another graph", () => {
  /** One weight, whose columns are regrouped. */
  function regrouped(first: number, second: number) {
    const g = new GraphBuilder();
    const up = g.matmul(g.input("x", "float32", ["batch", 8]), g.weight("up", parameter(8, first * second)));
    g.output("y", g.softmax(g.reshape(up, [0, first, second])), "float32", []);
    return g.build();
  }

  it("is refused when programs are built", () => {
    const policy = planGraph(parallelFeedForwards(), { ranks: 2 });
    expectCode("RR_POLICY", () => buildPrograms(serialFeedForwards(), policy));
  });

  it("is refused even if the graphs only differ in a reshape", () => {
    const policy = planGraph(regrouped(4, 6), { ranks: 2 });
    const other = regrouped(6, 4);
    expectCode("RR_POLICY", () => policyFromJSON(other, policy.toJSON(), { ranks: 2 }));
    expectCode("RR_POLICY", () => buildPrograms(other, policy));
  });
});

describe("a precision", () => {
  const int4 = () => planGraph(feedForward(64), { ranks: 2, precision: "int4" });

  it("is part of the policy, and of its table", () => {
    expect(int4().precision).toEqual({ weights: "int4", activations: "int8" });
    expect(int4().table()).toContain("int4 weights and int8 activations");
  });

  it("determines the counted bytes of blocks and scales", () => {
    const programs = buildPrograms(feedForward(64), int4());
    expect(programs.map(({ bytes }) => bytes)).toEqual(int4().bytesPerRank);
    expect(int4().totalBytes).toBeLessThan(planGraph(feedForward(64), { ranks: 2 }).totalBytes / 2);
  });

  it("is refused if it differs from the policy's, for weights or activations", () => {
    const data = int4().toJSON();
    expectCode("RR_POLICY", () => policyFromJSON(feedForward(64), data, { ranks: 2 }));
    expectCode("RR_POLICY", () =>
      policyFromJSON(feedForward(64), data, { ranks: 2, precision: "int4", activations: "float32" }),
    );
    expect(policyFromJSON(feedForward(64), data, { ranks: 2, precision: "int4" }).toJSON()).toEqual(data);
  });

  it("does not apply to a matrix whose products are ranked", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["rows", 32]);
    const [best] = g.topK(g.softmax(g.matmul(x, g.weight("router", parameter(32, 64)))), 2);
    g.output("y", g.matmul(x, g.weight("up", parameter(32, 64))), "float32", ["rows", 64]);
    g.output("best", best, "float32", ["rows", 2]);
    const policy = planGraph(g.build(), { ranks: 1, precision: "int4" });
    expect(Object.keys(policy.weights)).toEqual(["router", "up·int4·turned", "up·int4·turned·scales"]);
  });

  it("applies through nodes that transpose, rename or widen a matrix, and removes unused ones", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["rows", 32]);
    const weight = g.transpose(g.node("Identity", [g.weight("w", parameter(64, 32))]), [1, 0]);
    g.output("y", g.matmul(x, weight), "float32", ["rows", 64]);
    const { nodes } = graphInPrecision(g.build(), { precision: "int8" });
    expect(nodes.map(({ opType }) => opType)).toEqual(["MatMulNBits"]);
  });
});
