import "../../../../test/support/optimized-kernels.js";
import { describe, expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { kernelFiles, RankKernels } from "../kernels/rank-kernels.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import {
  activations,
  byRuntime,
  type MatrixCase,
  type PreparedProduct,
  prepareProduct,
  productSessions,
} from "../testing/product-case.js";
import type { RunSegment } from "./multiplier.js";
import { Product } from "./product.js";

/** The most rows that kernels multiply, by bits of a weight; a session multiplies more. */
const mostFew = { 4: 16, 8: 16, 16: 4, 32: 4 } as const;

/**
 * Few rows are rounded as MatMulNBits rounds them, and float32 rows never are; the difference is the order of up to two
 * thousand float32 additions.
 */
const fewTolerance = { rtol: 1e-5, atol: 1e-4 };

/**
 * For many rows, weights are rounded to 1/127 of a group's largest: in these matrices, that is 0.8% of their root mean
 * square, since the distance to the nearest step is 1/√12 of a step on average. Activations are rounded to 1/127 of a
 * row's largest, which is 0.4%.
 */
const manyError = 0.015;

const isFew = (rows: number, bits: 4 | 8 | 16 | 32) => rows <= mostFew[bits];

async function expectProduct(result: Float32Array, prepared: PreparedProduct, value: Tensor, output = 0) {
  const { bits } = prepared.step;
  const isOfFew = isFew(value.dims[0]!, bits);
  const expected = (await byRuntime(prepared, value, isOfFew ? 4 : 1))[output]!;
  if (isOfFew || bits === 32) expect(result).toBeAllclose(expected, fewTolerance);
  else {
    const difference = expected.map((y, at) => result[at]! - y);
    expect(rootMeanSquare(difference) / rootMeanSquare(expected)).toBeLessThan(manyError);
  }
}

const rootMeanSquare = (values: Float32Array) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

const openKernels = () => new RankKernels(128, [kernelFiles.fused]);

async function multiply(prepared: PreparedProduct, value: Tensor, kernels: readonly RankKernels[]) {
  const { multiplierOf, run, runs } = productSessions();
  const results = await resultsOf(productOf(prepared, multiplierOf, kernels), value, run);
  return { results, runs };
}

/** As a step does: by kernels, if they take so many rows. */
async function resultsOf(product: Product, value: Tensor, run: RunSegment): Promise<readonly Tensor[]> {
  const rows = product.prepare(value);
  if (!product.multiplyFew(rows)) await product.multiplyMany(rows, run);
  return rows.outputs;
}

function productOf(
  prepared: PreparedProduct,
  multiplierOf: ReturnType<typeof productSessions>["multiplierOf"],
  kernels: readonly RankKernels[],
): Product {
  const multiplier = multiplierOf(prepared, (data) => kernels.find(({ memory }) => memory.holds(data)));
  return new Product(prepared.step, multiplier, kernels[0]?.memory);
}

/** Other memory follows the workspace, so it cannot grow in place. */
function moveScratch(kernels: RankKernels): void {
  kernels.memory.floats(16);
  kernels.scratch(100_000);
}

const unused: RunSegment = () => expect.fail("no session is needed");

const data = (results: readonly Tensor[]) => results.map((result) => result.data as Float32Array);

describe.each([4, 8, 16, 32] as const)("a product with weights of %i bits equals ONNX Runtime's", (bits) => {
  it.each<[number, number, readonly number[]]>([
    [1, 64, [128]],
    [1, 75, [13]],
    [1, 20, [3]],
    [1, 512, [2]],
    [3, 96, [37]],
    [1, 1024, [514]],
    [3, 1024, [514]],
    [4, 1024, [514]],
    [5, 1024, [514]],
    [7, 75, [18]],
    [16, 160, [70]],
    [17, 160, [70]],
    [100, 75, [13]],
    [100, 1024, [260, 44]],
    [50, 2048, [520]],
  ])("for %i rows of %i times %j", async (rows, width, sizes) => {
    const kernels = openKernels();
    const prepared = prepareProduct({ bits, width, outputs: [sizes.map((rows) => ({ rows, kernels }))] });
    const value = activations(rows, width);
    const { results, runs } = await multiply(prepared, value, [kernels]);
    expect(runs.length > 0).toBe(!isFew(rows, bits));
    await expectProduct(data(results)[0]!, prepared, value);
  });

  it.each([1, 3, 60, 120])("for %i rows times matrices of one output, with biases", async (rows) => {
    const kernels = openKernels();
    const matrices = [5, 12, 1].map((rows, at): MatrixCase => ({ rows, hasBias: at !== 1, kernels }));
    const prepared = prepareProduct({ bits, width: 70, outputs: [matrices, [{ rows: 9, kernels }]] });
    const value = activations(rows, 70);
    const { results } = await multiply(prepared, value, [kernels]);
    for (const [at, one] of data(results).entries()) await expectProduct(one, prepared, value, at);
    expect(results.map(({ dims }) => dims)).toEqual([
      [rows, 18],
      [rows, 9],
    ]);
  });

  it.each([1, 3, 60, 120])(
    "for %i rows times matrices that are adjacent in memory, with their biases",
    async (rows) => {
      const kernels = openKernels();
      const matrices = [16, 32, 48].map((rows): MatrixCase => ({ rows, hasBias: true, kernels }));
      const prepared = prepareProduct({ bits, width: 64, outputs: [matrices] });
      const value = activations(rows, 64);
      const { results } = await multiply(prepared, value, [kernels]);
      await expectProduct(data(results)[0]!, prepared, value);
    },
  );

  it.each([
    [1, 6],
    [3, 6],
    [50, 6],
    [50, 1030],
  ])("for %i rows times matrices in two memories, of %i rows and more", async (rows, least) => {
    const both = [openKernels(), openKernels()] as const;
    const matrices = [0, 1, 0].map(
      (at): MatrixCase => ({ rows: least + at, hasBias: true, kernels: both[at]! }),
    );
    const prepared = prepareProduct({ bits, width: 64, outputs: [matrices] });
    const value = activations(rows, 64);
    const { results } = await multiply(prepared, value, both);
    await expectProduct(data(results)[0]!, prepared, value);
  });

  it.each([
    [50, 1100],
    [600, 1100],
    [120, 1024],
  ])("for %i rows of %i in plain code, without kernels", async (rows, width) => {
    const kernels = openKernels();
    const [result, plain] = await Promise.all(
      [kernels, undefined].map(async (kernels) => {
        const matrices = [
          { rows: 13, hasBias: true, kernels },
          { rows: 270, kernels },
        ];
        const prepared = prepareProduct({ bits, width, outputs: [matrices] });
        const value = activations(rows, width);
        const { results } = await multiply(prepared, value, kernels === undefined ? [] : [kernels]);
        return data(results)[0]!;
      }),
    );
    // The integers are the same; their float32 sums may be rounded once more or less.
    expect(result).toBeAllclose(plain!, fewTolerance);
  });
});

describe.each([4, 8, 16, 32] as const)("a product with weights of %i bits", (bits) => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "is not finite for a row with %d, but is for the next row",
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

  it("reads a value in place, and returns one that kernels read in place", async () => {
    const kernels = openKernels();
    const prepared = prepareProduct({ bits, width: 64, outputs: [[{ rows: 6, kernels }]] });
    const value = activations(1, 64);
    const there = kernels.memory.floats(64)!;
    there.set(value.data as Float32Array);
    const { multiplierOf } = productSessions();
    const product = productOf(prepared, multiplierOf, [kernels]);
    const [elsewhere] = data(await resultsOf(product, value, unused)).map((one) => one.slice());
    const [inPlace] = data(await resultsOf(product, tensor("float32", there, [1, 1, 64]), unused));
    expect(inPlace).toEqual(elsewhere);
    expect(kernels.memory.holds(inPlace!)).toBe(true);
  });

  it("reads the contents of the same tensor again", async () => {
    const { product, value, expected } = productOfOneMatrix(1);
    const before = await resultsOf(product, value, unused);
    (value.data as Float32Array).reverse();
    const after = await resultsOf(product, value, unused);
    expect(after).toBe(before);
    await expected(after, value);
  });

  it.each<[string, (product: Product, kernels: RankKernels) => unknown]>([
    ["more rows have been multiplied", (product) => resultsOf(product, activations(4, 64), unused)],
    ["the kernels have moved their workspace", (_, kernels) => moveScratch(kernels)],
  ])("of the same tensor does not write to released memory after %s", async (_, act) => {
    const { kernels, product, value, expected } = productOfOneMatrix(1);
    await resultsOf(product, value, unused);
    await act(product, kernels);
    // Released memory is the first to be allocated again.
    const allocated = Array.from({ length: 400 }, () => kernels.memory.floats(16)!.fill(7));
    await expected(await resultsOf(product, value, unused), value);
    expect(allocated.every((floats) => floats.every((one) => one === 7))).toBe(true);
  });

  it("of the same tensor gets new memory if it is too large to be kept", () => {
    const { product, value } = productOfOneMatrix(16, 2100);
    const [one, other] = [product.prepare(value), product.prepare(value)];
    expect(other.outputs[0]).not.toBe(one.outputs[0]);
  });

  it("of other rows may be written to the same memory", async () => {
    const kernels = openKernels();
    const prepared = prepareProduct({ bits, width: 64, outputs: [[{ rows: 18, kernels }]] });
    const multiplier = productSessions().multiplierOf(prepared, () => kernels);
    const outputs = [kernels.memory.floats(18)!];
    const [one, other] = [1, -1].map((sign) => {
      const there = kernels.memory.floats(64)!;
      there.set((activations(1, 64).data as Float32Array).map((x) => sign * x));
      return tensor("float32", there, [1, 64]);
    }) as [Tensor, Tensor];
    for (const { data } of [one, other]) multiplier.multiplyFew(data as Float32Array, outputs);
    await expectProduct(outputs[0]!, prepared, other);
  });

  function productOfOneMatrix(rows: number, columns = 18) {
    const kernels = openKernels();
    const matrix = { rows: columns, hasBias: true, kernels };
    const prepared = prepareProduct({ bits, width: 64, outputs: [[matrix]] });
    const product = productOf(prepared, productSessions().multiplierOf, [kernels]);
    const expected = (results: readonly Tensor[], value: Tensor) =>
      expectProduct(data(results)[0]!, prepared, value);
    return { kernels, product, value: activations(rows, 64), expected };
  }

  it("is computed by a session if any matrix is outside the kernels' memory", async () => {
    const kernels = openKernels();
    const matrix = { rows: 6, hasBias: true };
    const [elsewhere, partly] = [undefined, kernels].map((kernels) =>
      prepareProduct({ bits, width: 64, outputs: [[{ ...matrix, kernels }]] }),
    );
    const bias = elsewhere!.weights.get("0.0.bias")!;
    const weights = new Map([...partly!.weights, ["0.0.bias", bias]]);
    const value = activations(2, 64);
    const expected = await multiply(elsewhere!, value, []);
    const { results, runs } = await multiply({ ...partly!, weights }, value, [kernels]);
    expect(runs).toEqual(expected.runs);
    expect(runs).not.toEqual([]);
    expect(data(results)[0]).toBeAllclose(data(expected.results)[0]!, fewTolerance);
  });

  it("of no rows has no rows", async () => {
    const prepared = prepareProduct({ bits, width: 64, outputs: [[{ rows: 6 }]] });
    const { results } = await multiply(prepared, activations(0, 64), []);
    expect(results[0]!.dims).toEqual([0, 6]);
  });
});

it.each([16, 32] as const)("releases room that it took for rows times matrices of %i bits", async (bits) => {
  const kernels = openKernels();
  const prepared = prepareProduct({ bits, width: 1024, outputs: [[{ rows: 6, kernels }]] });
  const { multiplierOf, run } = productSessions();
  const product = productOf(prepared, multiplierOf, [kernels]);
  const free: number[] = [];
  for (let turn = 0; turn < 2; turn++) {
    TransientTensor.releaseAll(await resultsOf(product, activations(120, 1024), run));
    free.push(kernels.memory.bytesFree);
  }
  expect(free[1]).toBe(free[0]);
});

it("refuses a value whose rows have another width", async () => {
  const prepared = prepareProduct({ bits: 4, width: 64, outputs: [[{ rows: 6 }]] });
  const { multiplierOf } = productSessions();
  expectCode("RR_POLICY", () => productOf(prepared, multiplierOf, []).prepare(activations(1, 32)));
});
