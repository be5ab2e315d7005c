import type { Value } from "@ringrank/model";
import { planGraph } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { inputsFor, runSplit, runWhole } from "../support/split-and-whole.js";
import { TestGraph } from "../support/test-graph.js";

/** Queries and keys that are normalized as whole rows before they are split into heads. */
const [width, keyHeads, group, lanes] = [16, 4, 2, 4];

type Norm = (g: TestGraph, x: Value, size: number) => Value;

const norms: readonly [writing: string, norm: Norm][] = [
  ["RMSNormalization", (g, x, size) => g.rmsNormalization(x, g.parameter([size]), 1e-5)],
  [
    "LayerNormalization",
    (g, x, size) => g.layerNormalization(x, g.parameter([size]), g.parameter([size]), 1e-5),
  ],
  [
    "a mean of squares, as torch's exporters write it",
    (g, x, size) => {
      const mean = g.apply("ReduceMean", [g.pow(x, g.numbers([2])), g.integers([-1])]);
      const inverse = g.apply("Reciprocal", [g.sqrt(g.add(mean, g.numbers([1e-5])))]);
      return g.mul(g.parameter([size]), g.mul(x, inverse));
    },
  ],
  [
    "a mean without its axis",
    (g, x) => {
      const mean = g.apply("ReduceMean", [g.mul(x, x), g.integers([-1])], { keepdims: 0 });
      return g.div(x, g.sqrt(g.add(g.unsqueeze(mean, [2]), g.numbers([1e-5]))));
    },
  ],
  [
    "SimplifiedLayerNormalization in float16",
    (g, x, size) => {
      const half = (value: Value): Value => g.apply("Cast", [value], { to: 10 });
      const scale = half(g.parameter([size]));
      return g.cast(g.apply("SimplifiedLayerNormalization", [half(x), scale], { axis: -1 }), "float32");
    },
  ],
];

function attentionWith(norm: Norm) {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["batch", "sequence", width]);
  const project = (count: number): Value => g.matmul(x, g.parameter([width, count * lanes]));
  const apart = (value: Value, count: number): Value =>
    g.transpose(g.reshape(value, [0, 0, count, lanes]), [0, 2, 1, 3]);
  const heads = keyHeads * group;
  const q = apart(norm(g, project(heads), heads * lanes), heads);
  const k = apart(norm(g, project(keyHeads), keyHeads * lanes), keyHeads);
  const mixed = g.apply("Attention", [q, k, apart(project(keyHeads), keyHeads)]);
  const joined = g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [0, 0, heads * lanes]);
  g.output("y", g.matmul(joined, g.parameter([heads * lanes, width])), "float32", []);
  return { graph: g.build(), contents: g.contents };
}

describe.each(norms)("queries and keys normalized over all heads, by %s", (writing, norm) => {
  const made = attentionWith(norm);

  it.each([2, 3, 4])("let %i ranks share the heads", async (ranks) => {
    const policy = planGraph(made.graph, { ranks });
    expect(policy.factors).toContainEqual(
      expect.objectContaining({ label: "heads", units: keyHeads, sharded: true }),
    );
    const inputs = inputsFor(made.graph);
    const whole = (await runWhole(made, inputs)).y!.data as Float32Array;
    const split = (await runSplit(made, policy, inputs)).y!.data as Float32Array;
    // Numbers around 1; some are rounded to float16, whose values there are 0.001 apart, and the last bit of float32
    // decides to which of two.
    expect(split).toBeAllclose(whole, { rtol: 0, atol: writing.includes("float16") ? 5e-3 : 1e-5 });
  });
});

describe("a norm of an unsharded residual stream stays one operator", () => {
  it.each(["float32", "int4"] as const)("in %s", (precision) => {
    const g = new TestGraph();
    const [hidden, inner] = [64, 96];
    const product = (x: Value, inputs: number, outputs: number): Value =>
      g.matmulTransposed(x, g.parameter([outputs, inputs]));
    const x = product(g.input("x", "float32", ["batch", hidden]), hidden, hidden);
    const normed = g.rmsNormalization(x, g.parameter([hidden]), 1e-5);
    g.output("y", product(g.relu(product(normed, hidden, inner)), inner, hidden), "float32", []);
    const policy = planGraph(g.build(), { ranks: 2, precision });
    expect(policy.collectives).toHaveLength(1);
    const norm = policy.toJSON().weights.w1;
    expect(norm?.reason).toContain("RMSNormalization");
  });
});
