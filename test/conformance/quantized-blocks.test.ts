import type { Value } from "@ringrank/model";
import { planGraph } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { inputsFor, runSplit, runWhole, shardingOnly } from "../support/split-and-whole.js";
import { TestGraph } from "../support/test-graph.js";

const [width, heads, lanes, outputs] = [16, 8, 48, 24];
const columns = heads * lanes;
const blocks = columns / 32;

type Zeros = "none" | "of 4 bits" | "of 8 bits" | "in fp32";

/** Attention of 8 heads of 48 lanes, followed by a product in blocks of 32: 8 · 48 = 12 · 32. */
function graphWith(zeros: Zeros, flat: boolean) {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["batch", "sequence", width]);
  const projected = g.reshape(g.matmul(x, g.parameter([width, columns])), [0, 0, heads, lanes]);
  const q = g.transpose(projected, [0, 2, 1, 3]);
  const mixed = g.matmul(g.softmax(g.matmulTransposed(q, q)), q);
  const joined = g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [0, 0, columns]);
  const bits = zeros === "of 4 bits" || zeros === "in fp32" ? 4 : 8;
  const perBlock = (count: number): number[] => (flat ? [outputs * count] : [outputs, count]);
  const zeroPoints: Record<Zeros, () => Value | undefined> = {
    none: () => undefined,
    "of 4 bits": () => g.quantized("uint8", perBlock(blocks / 2)),
    "of 8 bits": () => g.quantized("uint8", perBlock(blocks)),
    "in fp32": () => g.scales(perBlock(blocks), 8),
  };
  const y = g.apply(
    "MatMulNBits@com.microsoft",
    [
      joined,
      g.quantized("uint8", [outputs, blocks, bits * 4]),
      g.scales(perBlock(blocks), 0.1),
      zeroPoints[zeros](),
      undefined,
      g.parameter([outputs]),
    ],
    { K: columns, N: outputs, bits, block_size: 32 },
  );
  g.output("y", y, "float32", ["batch", "sequence", outputs]);
  return { graph: g.build(), contents: g.contents };
}

describe.each<[Zeros, number]>([
  ["none", 2],
  ["of 8 bits", 2],
  ["in fp32", 2],
  // The zero points of two blocks share a byte.
  ["of 4 bits", 4],
])("MatMulNBits, zero points %s", (zeros, group) => {
  it("assigns heads in groups that end where blocks do, and says so", () => {
    const policy = planGraph(graphWith(zeros, false).graph, { ranks: 2 });
    expect(policy.factors).toContainEqual(
      expect.objectContaining({ label: "heads", units: heads / group, group, sharded: true }),
    );
    expect(policy.table()).toContain(`in groups of ${group}`);
  });

  it.each([
    ["with a separate dimension for blocks", false],
    ["in one dimension with rows", true],
  ])("computes the same whichever factor is split, scales %s", async (_, flat) => {
    const made = graphWith(zeros, flat);
    const inputs = inputsFor(made.graph);
    const whole = await runWhole(made, inputs);
    const { factors } = planGraph(made.graph, { ranks: 1 });
    expect(factors.length).toBeGreaterThan(0);
    for (const { id } of factors) {
      for (const ranks of [2, 3]) {
        const split = await runSplit(made, shardingOnly(made.graph, id, ranks), inputs);
        // Sums of fp32 products in another order, up to about 10 in size.
        expect(split.y!.data as Float32Array).toBeAllclose(whole.y!.data as Float32Array, {
          rtol: 1e-5,
          atol: 1e-4,
        });
      }
    }
  });
});

describe("MatMulBnb4", () => {
  const attributes = { block_size: 32, quant_type: 1 };

  /** A feed-forward of width `inner`, whose matrices are stored as blocks in one run of bytes. */
  function feedForwardOf(inner: number) {
    const g = new TestGraph();
    const product = (x: Value, K: number, N: number): Value => {
      const values = g.quantized("uint8", [(N * K) / 2]);
      const scales = g.scales([(N * K) / attributes.block_size], 0.3);
      return g.apply("MatMulBnb4@com.microsoft", [x, values, scales], { ...attributes, K, N });
    };
    const x = g.input("x", "float32", ["batch", "sequence", 32]);
    g.output("y", product(g.relu(product(x, 32, inner)), inner, outputs), "float32", []);
    return { graph: g.build(), contents: g.contents };
  }

  it.each([
    ["is split by rows, and by whole blocks within rows", 96, [96 / attributes.block_size, outputs]],
    ["stays whole if blocks cross the ends of rows", 80, []],
  ])("%s", async (_, inner, units) => {
    const made = feedForwardOf(inner);
    const inputs = inputsFor(made.graph);
    const whole = await runWhole(made, inputs);
    const { factors } = planGraph(made.graph, { ranks: 1 });
    expect(factors.map((factor) => factor.units)).toEqual(units);
    for (const { id } of factors) {
      for (const ranks of [2, 3]) {
        const split = await runSplit(made, shardingOnly(made.graph, id, ranks), inputs);
        // Sums of fp32 products in another order, up to about 10 in size.
        expect(split.y!.data as Float32Array).toBeAllclose(whole.y!.data as Float32Array, {
          rtol: 1e-5,
          atol: 1e-4,
        });
      }
    }
  });
});
