import { setFlagsFromString } from "node:v8";
import { relaxedSimdFlags } from "@ringrank/webassembly";
import { describe, expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { kernelFiles, RankKernels } from "../kernels/rank-kernels.js";
import type { Feeds, Fetched } from "../sessions/ort-binding.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import {
  activations,
  byMatMulNBits,
  type MatrixCase,
  type PreparedProduct,
  prepareProduct,
  productSegment,
} from "../testing/product-case.js";
import { Product } from "./product.js";

for (const flag of relaxedSimdFlags) setFlagsFromString(flag);

/** Sums of up to two thousand products of float32, in another order. Rounding activations to int8 changes 1e-2. */
const tolerance = { rtol: 1e-5, atol: 1e-4 };

/** Numbers of rows that kernels multiply, activations in int8, and that a session does. */
const isFew = (rows: number) => rows <= 40;

const openKernels = () => new RankKernels(128, [kernelFiles.fused]);

async function multiply(prepared: PreparedProduct, value: Tensor, kernels: readonly RankKernels[]) {
  const { segment, run, runs } = await productSegment(prepared.step.width);
  const results = await productOf(prepared, segment, kernels).run(value, run);
  return { results, runs };
}

function productOf(
  { step, weights }: PreparedProduct,
  segment: ConstructorParameters<typeof Product>[1],
  kernels: readonly RankKernels[],
): Product {
  const weightOf = (name: string) => weights.get(name)!;
  return new Product(
    step,
    segment,
    weightOf,
    (data) => kernels.find(({ memory }) => memory.holds(data)),
    new Set(),
  );
}

const data = (results: readonly Tensor[]) => results.map((result) => result.data as Float32Array);

describe.each([4, 8] as const)("a product with weights of %i bits is what ONNX Runtime computes", (bits) => {
  it.each<[number, number, readonly number[]]>([
    [1, 64, [128]],
    [1, 75, [13]],
    [1, 20, [3]],
    [1, 512, [2]],
    [3, 96, [37]],
    [7, 75, [18]],
    [40, 160, [70]],
    [41, 160, [70]],
    [100, 75, [13]],
    [50, 2048, [520]],
  ])("for %i rows of %i times %j", async (rows, width, sizes) => {
    const kernels = openKernels();
    const prepared = prepareProduct({ bits, width, outputs: [sizes.map((rows) => ({ rows, kernels }))] });
    const value = activations(rows, width);
    const { results, runs } = await multiply(prepared, value, [kernels]);
    expect(runs.length > 0).toBe(!isFew(rows));
    const [expected] = await byMatMulNBits(prepared, value, isFew(rows) ? 4 : 1);
    expect(data(results)[0]).toBeAllclose(expected!, tolerance);
  });

  it.each([1, 3, 60])("for %i rows times matrices side by side, with biases", async (rows) => {
    const kernels = openKernels();
    const matrices = [5, 12, 1].map((rows, at): MatrixCase => ({ rows, hasBias: at !== 1, kernels }));
    const prepared = prepareProduct({ bits, width: 70, outputs: [matrices, [{ rows: 9, kernels }]] });
    const value = activations(rows, 70);
    const { results } = await multiply(prepared, value, [kernels]);
    const expected = await byMatMulNBits(prepared, value, isFew(rows) ? 4 : 1);
    for (const [at, one] of data(results).entries()) expect(one).toBeAllclose(expected[at]!, tolerance);
    expect(results.map(({ dims }) => dims)).toEqual([
      [rows, 18],
      [rows, 9],
    ]);
  });

  it.each([1, 50])("for %i rows times matrices of two memories", async (rows) => {
    const both = [openKernels(), openKernels()] as const;
    const matrices = [0, 1, 0].map((at): MatrixCase => ({ rows: 6 + at, hasBias: true, kernels: both[at]! }));
    const prepared = prepareProduct({ bits, width: 64, outputs: [matrices] });
    const value = activations(rows, 64);
    const { results } = await multiply(prepared, value, both);
    const [expected] = await byMatMulNBits(prepared, value, isFew(rows) ? 4 : 1);
    expect(data(results)[0]).toBeAllclose(expected!, tolerance);
  });

  it.each([1, 50])("for %i rows without kernels", async (rows) => {
    const matrices = [{ rows: 13, hasBias: true }, { rows: 4 }];
    const prepared = prepareProduct({ bits, width: 75, outputs: [matrices] });
    const value = activations(rows, 75);
    const { results, runs } = await multiply(prepared, value, []);
    expect(runs.length).toBeGreaterThan(0);
    const [expected] = await byMatMulNBits(prepared, value, 1);
    expect(data(results)[0]).toBeAllclose(expected!, tolerance);
  });
});

describe.each([4, 8] as const)("a product with weights of %i bits", (bits) => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "of a row with %d is no number, and of the next row it is",
    async (bad) => {
      const kernels = openKernels();
      const prepared = prepareProduct({ bits, width: 100, outputs: [[{ rows: 6, kernels }]] });
      for (const rows of [2, 50]) {
        for (const at of [0, 31, 50, 99]) {
          const value = activations(rows, 100);
          (value.data as Float32Array)[at] = bad;
          const [result] = data((await multiply(prepared, value, [kernels])).results);
          const [first, rest] = [result!.subarray(0, 6), result!.subarray(6)];
          expect([...first].some(Number.isFinite)).toBe(false);
          expect([...rest].every(Number.isFinite)).toBe(true);
        }
      }
    },
  );

  it("of zeros is the bias", async () => {
    const kernels = openKernels();
    const prepared = prepareProduct({ bits, width: 64, outputs: [[{ rows: 6, hasBias: true, kernels }]] });
    const zeros = tensor("float32", new Float32Array(64), [1, 64]);
    const [result] = data((await multiply(prepared, zeros, [kernels])).results);
    expect(result).toEqual(prepared.weights.get("0.0.bias")!.data);
  });

  it("reads a value where it lies, and gives one that kernels read in place", async () => {
    const kernels = openKernels();
    const prepared = prepareProduct({ bits, width: 64, outputs: [[{ rows: 6, kernels }]] });
    const value = activations(1, 64);
    const there = kernels.memory.floats(64)!;
    there.set(value.data as Float32Array);
    const { segment } = await productSegment(64);
    const product = productOf(prepared, segment, [kernels]);
    const unused = (_: Feeds): Fetched => expect.fail("no session is needed");
    const [elsewhere] = data((await product.run(value, unused)) as Tensor[]).map((one) => one.slice());
    const [inPlace] = data((await product.run(tensor("float32", there, [1, 1, 64]), unused)) as Tensor[]);
    expect(inPlace).toEqual(elsewhere);
    expect(kernels.memory.holds(inPlace!)).toBe(true);
  });

  it("of no rows is none", async () => {
    const prepared = prepareProduct({ bits, width: 64, outputs: [[{ rows: 6 }]] });
    const { results } = await multiply(prepared, activations(0, 64), []);
    expect(results[0]!.dims).toEqual([0, 6]);
  });
});

it("refuses a value whose rows are of another width", async () => {
  const prepared = prepareProduct({ bits: 4, width: 64, outputs: [[{ rows: 6 }]] });
  const { segment, run } = await productSegment(64);
  expectCode("RR_POLICY", () => productOf(prepared, segment, []).run(activations(1, 32), run));
});
