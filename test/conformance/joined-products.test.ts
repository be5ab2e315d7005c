import type { Value } from "@ringrank/model";
import { buildPrograms, planGraph } from "@ringrank/policy";
import { expect, it } from "vitest";
import { type GraphWithContents, inputsFor, runSplit, runWhole } from "../support/split-and-whole.js";
import { TestGraph } from "../support/test-graph.js";

/** The columns of products with the same input, all of different widths. */
const columns = [24, 8, 16];
const width = 64;
const blocks = width / 32;

type Product = (g: TestGraph, x: Value, columns: number) => Value;

const inBlocks =
  (bits: 4 | 8, zeros: "packed" | "float32" | "none", isFlat: boolean): Product =>
  (g, x, N) => {
    const perBlock = (count: number): number[] => (isFlat ? [N * count] : [N, count]);
    const zeroPoints = {
      packed: () => g.quantized("uint8", perBlock((blocks * bits) / 8)),
      float32: () => g.scales(perBlock(blocks), 8),
      none: () => undefined,
    };
    const values = g.quantized("uint8", [N, blocks, bits * 4]);
    const scales = g.scales(perBlock(blocks), 0.1);
    return g.apply(
      "MatMulNBits@com.microsoft",
      [x, values, scales, zeroPoints[zeros](), undefined, g.parameter([N])],
      { K: width, N, bits, block_size: 32 },
    );
  };

const products: readonly [string, Product][] = [
  ["FusedMatMul", (g, x, N) => g.matmulTransposed(x, g.parameter([N, width]), 0.5)],
  [
    "FusedMatMul with a bias",
    (g, x, N) => g.add(g.matmulTransposed(x, g.parameter([N, width])), g.parameter([N])),
  ],
  ["Gemm", (g, x, N) => g.apply("Gemm", [x, g.parameter([N, width]), g.parameter([N])], { transB: 1 })],
  ["MatMulNBits of 4 bits", inBlocks(4, "none", false)],
  ["MatMulNBits of 4 bits, zero points packed", inBlocks(4, "packed", false)],
  ["MatMulNBits of 4 bits, scales and zero points in one dimension with rows", inBlocks(4, "packed", true)],
  ["MatMulNBits of 4 bits, zero points in fp32", inBlocks(4, "float32", false)],
  ["MatMulNBits of 8 bits, zero points packed", inBlocks(8, "packed", false)],
];

/** Three products, of which the first two are concatenated and the third is read separately. */
function graphWith(product: Product): GraphWithContents {
  const g = new TestGraph();
  const x = g.input("x", "float32", ["rows", width]);
  const [a, b, c] = columns.map((count) => product(g, x, count));
  g.output("y", g.relu(g.concat([a!, b!], 1)), "float32", ["rows", 32]);
  g.output("z", g.relu(c!), "float32", ["rows", 16]);
  return { graph: g.build(), contents: g.contents };
}

it.each(products)("%s: joined products compute what each computes alone", async (_, product) => {
  const made = graphWith(product);
  const inputs = inputsFor(made.graph);
  const whole = await runWhole(made, inputs);
  for (const ranks of [1, 2, 3]) {
    const policy = planGraph(made.graph, { ranks });
    for (const { segments } of buildPrograms(made.graph, policy))
      expect(segments[0]!.initializers[0]).toHaveLength(3);
    const split = await runSplit(made, policy, inputs);
    for (const name of ["y", "z"]) {
      expect(split[name]!.dims).toEqual(whole[name]!.dims);
      // Sums of fp32 products, up to about 10 in size, in another order.
      expect(split[name]!.data as Float32Array).toBeAllclose(whole[name]!.data as Float32Array, {
        rtol: 1e-5,
        atol: 1e-4,
      });
    }
  }
});
