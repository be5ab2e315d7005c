import { buildGraph, openCheckpoint, type Value } from "@ringrank/model";
import { buildPrograms, planGraph } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { expectCode } from "../support/coded-error.js";
import { inputsFor, runSplit, runWhole, shardingOnly } from "../support/split-and-whole.js";
import { TestGraph } from "../support/test-graph.js";

/**
 * Two heads of four lanes, concatenated with five numbers that every rank has: their sum over all heads. Of three
 * ranks, one has no head, but it has the five numbers too.
 */
const [width, heads, lanes, beside, inner] = [8, 2, 4, 5, 24];
const columns = heads * lanes;

interface Parts {
  readonly g: TestGraph;
  readonly x: Value;
  readonly joined: Value;
  /** The five numbers, split off again. */
  readonly taken: Value;
}

function graphWith(rest: (parts: Parts) => Value) {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["batch", width]);
  const projected = g.reshape(g.matmul(x, g.parameter([width, columns])), [0, heads, lanes]);
  const mixed = g.reshape(g.softmax(projected), [0, columns]);
  const joined = g.concat([mixed, g.matmul(mixed, g.parameter([columns, beside]))], -1);
  const [, taken] = g.split(joined, [columns, beside], -1);
  g.output("y", rest({ g, x, joined, taken: taken! }), "float32", []);
  return { graph: g.build(), contents: g.contents };
}

/** `[batch, beside]`, a sum over more units than there are ranks. */
function summed(g: TestGraph, x: Value): Value {
  return g.matmul(g.relu(g.matmul(x, g.parameter([width, inner]))), g.parameter([inner, beside]));
}

describe("if a rank has no units of one part of a concatenation", () => {
  it.each<[string, (parts: Parts) => Value]>([
    [
      "the other part feeds a product of which it has columns",
      ({ g, taken }) => g.relu(g.matmul(taken, g.parameter([beside, inner]))),
    ],
    [
      "the other part feeds a sum over units of which it has some",
      ({ g, taken }) =>
        g.matmul(g.relu(g.matmul(taken, g.parameter([beside, inner]))), g.parameter([inner, 3])),
    ],
    [
      "the other part is added to a sum over units of which it has some",
      ({ g, x, taken }) => g.add(taken, summed(g, x)),
    ],
    ["the other part multiplies such a sum", ({ g, x, taken }) => g.mul(taken, summed(g, x))],
    [
      "the whole concatenation is a factor of a product",
      ({ g, joined }) => g.matmul(joined, g.parameter([columns + beside, 7])),
    ],
  ])("the split graph computes what the whole one does: %s", async (_, rest) => {
    const made = graphWith(rest);
    const inputs = inputsFor(made.graph);
    const whole = await runWhole(made, inputs);
    for (const ranks of [2, 3, 4]) {
      const split = await runSplit(made, planGraph(made.graph, { ranks }), inputs);
      // Sums of fp32 products in another order, up to about 10 in size.
      expect(split.y!.data as Float32Array).toBeAllclose(whole.y!.data as Float32Array, {
        rtol: 1e-5,
        atol: 1e-5,
      });
    }
  });
});

describe("a sum over units, computed for rows to which others are appended", () => {
  const units = 3;
  const g = new TestGraph();
  const x = g.input("x", "float32", ["batch", width]);
  const rows = g.concat([x, g.numbers(new Float32Array(5 * width).fill(0.5), [5, width])], 0);
  const up = g.relu(g.matmul(rows, g.parameter([width, units])));
  g.output("y", g.matmul(up, g.parameter([units, width])), "float32", []);
  const made = { graph: g.build(), contents: g.contents };
  const summed = planGraph(made.graph, { ranks: 1 }).factors.find((factor) => factor.units === units)!;

  it("is shared by as many ranks as it has units", async () => {
    const inputs = inputsFor(made.graph);
    const split = await runSplit(made, shardingOnly(made.graph, summed.id, units), inputs);
    const whole = await runWhole(made, inputs);
    // Sums of a few fp32 products around 1, in another order.
    expect(split.y!.data).toBeAllclose(whole.y!.data as Float32Array, { rtol: 0, atol: 1e-5 });
  });

  it("is not shared by more ranks, since those without units would not know how many zeros they owe", () => {
    expectCode("RR_POLICY", () => shardingOnly(made.graph, summed.id, units + 1));
  });
});

describe("a float16 sum that is reduced in float32", () => {
  it("is not cast back by a rank that reads none of it", async () => {
    const g = new TestGraph();
    const half = (value: Value): Value => g.apply("Cast", [value], { to: 10 });
    const x = half(g.input("x", "float32", ["batch", width]));
    const up = g.relu(g.matmul(x, half(g.parameter([width, 3]))));
    const down = g.relu(g.matmul(up, half(g.parameter([3, width]))));
    const next = g.matmul(down, half(g.parameter([width, 3])));
    g.output("y", g.cast(next, "float32"), "float32", ["batch", 3]);
    const made = { graph: g.build(), contents: g.contents };
    const inputs = inputsFor(made.graph);
    const whole = await runWhole(made, inputs);
    const split = await runSplit(made, planGraph(made.graph, { ranks: 4 }), inputs);
    // Sums of numbers up to 1 are rounded to float16, whose values there are 0.001 apart.
    expect(split.y!.data as Float32Array).toBeAllclose(whole.y!.data as Float32Array, {
      rtol: 0,
      atol: 2e-3,
    });
  });
});

it("a rank without a query head neither computes nor keeps rows of the only head of keys", () => {
  const { config } = openCheckpoint(zooDirectory("llama"));
  const heads = { num_attention_heads: 2, num_key_value_heads: 1, head_dim: 8 };
  const { graph } = buildGraph({ config: { ...config, ...heads }, tensors: undefined });
  const programs = buildPrograms(graph, planGraph(graph, { ranks: 3 }));
  const states = programs.map(({ entries }) => entries.forward!.caches.flatMap(({ states }) => states));
  expect(states.map(({ length }) => length)).toEqual([4, 4, 0]);
  expect(Object.keys(programs[2]!.weights).filter((name) => name.includes("self_attn"))).toEqual([]);
});
