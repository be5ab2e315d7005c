import { buildGraph, GraphBuilder } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { type PlanOptions, planGraph } from "../plan.js";
import { feedForward } from "../testing/graphs.js";

/** A Llama of four key heads with two query heads each, in a layer. */
const config = {
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 1,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 320,
};

function lines(options: PlanOptions): string[] {
  return planGraph(buildGraph({ config, tensors: undefined }).graph, options)
    .table()
    .split("\n");
}

describe("a policy's table", () => {
  it("lists every rank's units if they fit on a line", () => {
    expect(lines({ ranks: 3 }).find((line) => line.startsWith("4 heads"))).toMatch(/^4 heads +2\+1\+1 /);
  });

  it("counts ranks with equally many units if there are more", () => {
    const table = lines({ ranks: 12 });
    expect(table.find((line) => line.startsWith("128 width"))).toMatch(/^128 width +11 on 8 ranks, 10 on 4 /);
    expect(table.find((line) => line.startsWith("weights: "))).toMatch(
      /; per rank \S+ kB on \d ranks, \S+ kB on \d(, \S+ kB on \d)* \(/,
    );
  });

  it("counts the query heads that ranks are dealt if they share key heads, and how many there are per key head", () => {
    expect(lines({ ranks: 8 }).find((line) => line.includes(" heads "))).toMatch(/^4·2 heads +1 each /);
  });

  it("says in which type bytes are counted", () => {
    const total = (options: Pick<PlanOptions, "precision">) =>
      planGraph(feedForward(64), { ranks: 2, ...options })
        .table()
        .split("\n")
        .find((line) => line.startsWith("weights: "));
    expect(total({})).toMatch(/in all, in float32; per rank/);
    expect(total({ precision: "int4" })).toMatch(/in all, int4 weights and int8 activations; per rank/);
  });

  it("does not say in which type bytes are counted if a file has another type", () => {
    const g = new GraphBuilder();
    const halves = g.weight("halves", { type: "float16", dims: [12, 64], source: { kind: "absent" } });
    const x = g.input("x", "float32", ["batch", 12]);
    g.output("y", g.matmul(x, g.cast(halves, "float32")), "float32", ["batch", 64]);
    const table = planGraph(g.build(), { ranks: 2 }).table();
    expect(table).toMatch(/^weights: \S+ kB in all; per rank/m);
  });

  it("says how many bytes stay float32 if quantization leaves most bytes unchanged", () => {
    const g = new GraphBuilder();
    const absent = (name: string, dims: readonly number[]) =>
      g.weight(name, { type: "float32", dims, source: { kind: "absent" } });
    const x = g.input("x", "float32", [8, "rows", 128]);
    // No rows are routed to these eight, so they are not experts: 524.3 kB, and 1 kB of scales.
    const stacked = g.relu(g.matmul(x, absent("stack", [8, 128, 128])));
    g.output("y", g.matmul(stacked, absent("matrix", [128, 64])), "float32", [8, "rows", 64]);
    const [total] = /^weights: .*$/m.exec(planGraph(g.build(), { ranks: 2, precision: "int4" }).table())!;
    expect(total).toMatch(/int4 weights and int8 activations, but 525\.\d kB of it float32; per rank/);
  });

  it("does not say so if experts are quantized as well", () => {
    const experts = { ...config, model_type: "mixtral", num_local_experts: 8, num_experts_per_tok: 2 };
    const { graph } = buildGraph({ config: experts, tensors: undefined });
    const [total] = /^weights: .*$/m.exec(planGraph(graph, { ranks: 2, precision: "int4" }).table())!;
    expect(total).toMatch(/int4 weights and int8 activations; per rank/);
  });

  it("counts a quantized matrix and its scales as one that is split", () => {
    const width = lines({ ranks: 2, precision: "int4" }).find((line) => line.includes(" width "));
    expect(width).toMatch(/2 by columns, 1 by rows/);
  });

  it("says that experts on different ranks leave a sum", () => {
    // The width of an expert is one block, which ranks cannot share.
    const experts = {
      ...config,
      model_type: "mixtral",
      intermediate_size: 32,
      num_local_experts: 4,
      num_experts_per_tok: 2,
    };
    const { graph } = buildGraph({ config: experts, tensors: undefined });
    const { factors } = planGraph(graph, { ranks: 2, precision: "int4" });
    expect(factors.find(({ label }) => label === "experts")).toMatchObject({
      perRank: [2, 2],
      reason: "computed separately: 3 by columns, which leaves a sum to all-reduce",
    });
  });

  it("replaces a number in the names of like weights only where they differ", () => {
    const two = {
      ...config,
      model_type: "mamba2",
      num_hidden_layers: 2,
      head_dim: 16,
      num_heads: 8,
      state_size: 16,
    };
    const { graph } = buildGraph({ config: two, tensors: undefined });
    expect(planGraph(graph, { ranks: 2 }).table()).toMatch(
      /^backbone\.layers\.#\.mixer\.conv1d\.weight \(2\)/m,
    );
  });

  it("describes the use of a weight that is dequantized and transposed first", () => {
    const g = new GraphBuilder();
    const real = (name: string, dims: readonly number[]) => {
      const stored = g.weight(name, { type: "float16", dims, source: { kind: "absent" } });
      return g.transpose(g.cast(stored, "float32"), [1, 0]);
    };
    const x = g.input("x", "float32", ["batch", 12]);
    const inner = g.relu(g.matmul(x, real("up", [64, 12])));
    g.output("y", g.tanh(g.matmul(inner, real("down", [12, 64]))), "float32", ["batch", 12]);
    const { factors, weights } = planGraph(g.build(), { ranks: 2 });
    expect(weights.up).toMatchObject({ placement: "column-parallel" });
    expect(weights.down).toMatchObject({
      placement: "row-parallel",
      reason: expect.stringMatching(/^MatMul sums/),
    });
    expect(factors.find(({ sharded }) => sharded)?.reason).toMatch(
      /^computed separately: 1 by columns, 1 by rows/,
    );
  });
});
