import "../../../../test/support/optimized-kernels.js";
import type { TensorData } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { RankKernels } from "../kernels/rank-kernels.js";
import { tensor } from "../tensors/tensor.js";
import { prepareProduct, productSessions } from "../testing/product-case.js";
import { Product } from "./product.js";

const width = 64;
const [kernels, others] = [new RankKernels(64), new RankKernels(64)];
const { multiplierOf } = productSessions();

/** Multiplies a row, and returns the names of the kernels that this called, as far as they could be repeated. */
function callsOf(
  bits: 4 | 16 | 32,
  { x = kernels, y = kernels, matrices = [kernels], by = kernels }: Partial<Places> = {},
): readonly string[] | undefined {
  const outputs = matrices.map((place) => [{ rows: 20, kernels: place }]);
  const multiplier = multiplierOf(prepareProduct({ bits, width, outputs }), kernelsOf);
  const targets = matrices.map(() => floatsIn(y, 20));
  expect(multiplier.multiplyFew(floatsIn(x, width), targets)).toBe(true);
  return multiplier.lastCalls(by)?.map(({ kernel }) => kernel);
}

function kernelsOf(data: TensorData): RankKernels | undefined {
  return [kernels, others].find(({ memory }) => memory.holds(data));
}

interface Places {
  readonly x: RankKernels | undefined;
  readonly y: RankKernels | undefined;
  readonly matrices: readonly RankKernels[];
  /** The kernels that would repeat the calls. */
  readonly by: RankKernels;
}

function floatsIn(place: RankKernels | undefined, count: number): Float32Array {
  return place === undefined ? new Float32Array(count) : place.memory.floats(count)!;
}

describe("a product of few rows can be repeated by kernel calls", () => {
  it.each([
    [4, ["quantize4", "multiply4", "multiply4"]],
    [16, ["splitRows", "multiplyBfloats", "multiplyBfloats"]],
    [32, ["multiplyFloats", "multiplyFloats"]],
  ] as const)("if it is in one memory: by matrices of %i bits", (bits, calls) => {
    expect(callsOf(bits, { matrices: [kernels, kernels] })).toEqual(calls);
  });
});

describe("a product of few rows cannot be repeated by kernel calls", () => {
  it.each<[string, Partial<Places>]>([
    ["its rows are copied from other memory", { x: others }],
    ["its results are copied to other memory", { y: others }],
    ["its matrices are in several memories", { matrices: [kernels, others] }],
    ["they are other kernels' calls", { by: others }],
  ])("if %s", (_, places) => {
    expect(callsOf(4, places)).toBeUndefined();
  });

  it("if its results are too large to be kept, and so in another place next time", () => {
    const prepared = prepareProduct({ bits: 4, width, outputs: [[{ rows: 5000, kernels }]] });
    const product = new Product(prepared.step, multiplierOf(prepared, kernelsOf), kernels.memory);
    const callsFor = (rows: number) => {
      const value = tensor("float32", floatsIn(kernels, rows * width), [rows, width]);
      expect(product.multiplyFew(product.prepare(value))).toBe(true);
      return product.lastCalls(kernels);
    };
    expect(callsFor(1)).toHaveLength(2);
    expect(callsFor(8)).toBeUndefined();
  });
});
