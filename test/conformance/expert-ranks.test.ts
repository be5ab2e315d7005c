import { join } from "node:path";
import type { Tensor } from "@ringrank/coordinator";
import { encodeOnnx, type Value } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { load, planOnOneThread } from "../support/loaded-model.js";
import { inputsFor, runWhole } from "../support/split-and-whole.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { TestGraph } from "../support/test-graph.js";

planOnOneThread();

/** Sizes at which QMoE's kernel has whole blocks, on up to four ranks. */
const [width, experts, inner, block] = [32, 4, 64, 16];

/** Feed-forwards of experts between two products, as a file would contain them; `make` adds the experts. */
function fileOf(make: (g: TestGraph, rows: Value, router: Value) => Value) {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["batch", "sequence", width]);
  const rows = g.tanh(g.matmul(x, g.parameter([width, width])));
  const router = g.matmul(g.reshape(rows, [-1, width]), g.parameter([width, experts], 4));
  const mixed = g.add(rows, make(g, rows, router));
  g.output("y", g.matmul(mixed, g.parameter([width, 24])), "float32", ["batch", "sequence", 24]);
  const built = g.build();
  const weights = Array.from(built.weights, ([name, weight]) => {
    const data = g.contents.get(name);
    return [
      name,
      data === undefined ? weight : { ...weight, source: { kind: "inline" as const, data } },
    ] as const;
  });
  return { ...built, weights: new Map(weights) };
}

const moe =
  (type: "float32" | "float16") =>
  (g: TestGraph, rows: Value, router: Value): Value => {
    const weights = [
      [experts, inner, width],
      [experts, inner],
      [experts, width, inner],
      [experts, width],
    ].map((dims) => g.parameter(dims));
    const inputs = [rows, router, ...weights].map((value) =>
      type === "float32" ? value : g.cast(value, type),
    );
    const mixed = g.apply("MoE@com.microsoft", inputs, { k: 2, activation_type: "silu" });
    return type === "float32" ? mixed : g.cast(mixed, "float32");
  };

const qmoe =
  (bits: number) =>
  (g: TestGraph, rows: Value, router: Value): Value => {
    const matrix = (outputs: number, inputs: number): Value[] => [
      g.quantized("uint8", [experts, outputs, (inputs * bits) / 8]),
      g.scales([experts, outputs, inputs / block], 0.2 / 2 ** bits),
      g.parameter([experts, outputs]),
    ];
    return g.apply("QMoE@com.microsoft", [rows, router, ...matrix(inner, width), ...matrix(width, inner)], {
      k: 2,
      activation_type: "gelu",
      expert_weight_bits: bits,
      block_size: block,
    });
  };

/**
 * Sums of a few dozen numbers around 1 in another order; in float16, whose values near 1 are 0.001 apart, a few such
 * steps.
 */
const [float, half] = [1e-5, 5e-3];

describe.each<[string, (g: TestGraph, rows: Value, router: Value) => Value, number]>([
  ["MoE", moe("float32"), float],
  ["MoE in float16", moe("float16"), half],
  ["QMoE of 4 bits", qmoe(4), float],
  ["QMoE of 8 bits", qmoe(8), float],
])("a file with %s", (_, make, tolerance) => {
  it.each([1, 2, 3])("computes on %i ranks what one session of ONNX Runtime does", async (ranks) => {
    const graph = fileOf(make);
    const inputs = inputsFor(graph);
    const whole = await runWhole({ graph, contents: new Map() }, inputs);
    const path = join(temporaryDirectory({ "model.onnx": encodeOnnx(graph) }), "model.onnx");
    await using model = await load(path, { ranks });
    const { y } = await model.run(inputs as Record<string, Tensor>);
    expect(y!.dims).toEqual(whole.y!.dims);
    expect(y!.data).toBeAllclose(whole.y!.data as Float32Array, { rtol: 0, atol: tolerance });
    const stacks = Object.values(model.policy.weights).filter(({ dims }) => dims.length === 3);
    expect(stacks.map(({ placement }) => placement === "replicated")).toEqual(stacks.map(() => ranks === 1));
  });
});
