import "../../../../../../test/support/optimized-kernels.js";
import type { Elementwise, QuantizedProductStep } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { InstructionList } from "../../../elementwise/instruction-list.js";
import { kernelFiles, RankKernels } from "../../../kernels/rank-kernels.js";
import type { Tensor } from "../../../tensors/tensor.js";
import type { Placed } from "../../placed.js";
import { blocksOf, type QuantizedMatrix } from "../blocks.js";
import { scalesByRow } from "../scale-runs.js";
import type { IntegerProduct } from "./integer-product.js";
import { ManyRows } from "./many-rows.js";

/** The integer products of a session. */
const integers = {
  activationType: async () => "int8",
  multiply: (weights: Tensor, activations: Tensor, sums: Tensor) => {
    const [rows, elements] = weights.dims as [number, number];
    const columns = activations.dims[1]!;
    expect(sums.dims).toEqual([rows, columns]);
    const [w, x, out] = [weights, activations, sums].map(({ data }) => data as Int32Array);
    out!.fill(0);
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < elements; k++) {
        const weight = w![row * elements + k]! - 128;
        for (let c = 0; c < columns; c++) out![row * columns + c]! += weight * x![k * columns + c]!;
      }
    }
  },
} as unknown as IntegerProduct;

const random = (index: number): number => ((index * 48_271) % 65_537) / 65_537;

function copyOf(from: Float32Array, { memory }: RankKernels): Float32Array {
  const near = memory.floats(from.length)!;
  near.set(from);
  return near;
}

/** By output: its matrices, with this many rows each. */
function placedMatrices(
  kernels: RankKernels,
  width: number,
  outputs: readonly (readonly number[])[],
): Placed<QuantizedMatrix>[] {
  let seed = 1;
  return outputs.flatMap((matrices, output) => {
    let offset = 0;
    return matrices.map((count) => {
      const values = kernels.memory.bytes(count * blocksOf(width) * 16)!;
      for (const [i] of values.entries()) values[i] = Math.floor(random(seed++) * 256);
      const floats = (length: number) =>
        copyOf(
          Float32Array.from({ length }, () => random(seed++)),
          kernels,
        );
      const scales = floats(count * blocksOf(width));
      const bias = floats(count + 3);
      const scaleRuns = scalesByRow(count);
      const matrix = { rows: count, width, values, scales, scaleRuns, bias, offset, kernels };
      offset += count;
      return { matrix, output };
    });
  });
}

function someRows(rows: number, width: number): Float32Array {
  return Float32Array.from({ length: rows * width }, (_, at) => random(at + 7) - 0.5);
}

/** Rows of which every third has an element far larger than the others, so that it is rounded twice. */
function unevenRows(rows: number, width: number): Float32Array {
  const x = someRows(rows, width);
  for (let row = 0; row < rows; row += 3) x[row * width + (row % width)] = 30;
  return x;
}

const many = (width: number) => new ManyRows({ bits: 4, width } as QuantizedProductStep, integers);

// A part of a panel; one panel and a part of another.
it.each([3, 130])(
  "computes the products of %i rows and all matrices of a step, with kernels or without",
  async (rows) => {
    // Two groups of blocks, the second one partial; a strip has rows of several matrices, and one output is in two
    // strips.
    const width = 1100;
    const outputs = [[300, 7], [500], [9]];
    const kernels = new RankKernels(1024, [kernelFiles.fused]);
    const placed = placedMatrices(kernels, width, outputs);
    const x = someRows(rows, width);
    const widths = outputs.map((matrices) => matrices.reduce((sum, count) => sum + count));
    const multiplied = async (by: RankKernels | undefined, make: (floats: number) => Float32Array) => {
      const targets = widths.map((of) => make(rows * of).fill(7));
      await many(width).multiply(x, by, placed, targets, () => ({}));
      return targets;
    };
    const near = await multiplied(kernels, (floats) => kernels.memory.floats(floats)!);
    const far = await multiplied(kernels, (floats) => new Float32Array(floats));
    for (const { matrix, output } of placed) {
      const check = [0, matrix.rows - 1].flatMap((row) => [0, rows - 1].map((of) => [row, of] as const));
      for (const [row, of] of check) {
        const at = of * widths[output]! + matrix.offset + row;
        const plain = plainly(matrix, row, x.subarray(of * width, (of + 1) * width));
        // Rounded to integers times a group's scale: a 254th of the largest weight and activation, in each product.
        expect(Math.abs(near[output]![at]! - plain)).toBeLessThan(0.5);
      }
    }
    expect(far).toEqual(near.map((target) => target.slice()));
  },
);

/** `sigmoid(y0) · y1`. */
const gate: Elementwise = {
  instructions: [
    { operation: "sigmoid", operands: [{ value: 0 }] },
    { operation: "multiply", operands: [{ value: 2 }, { value: 1 }] },
  ],
  outputs: [3],
};

function sumOf(count: number): Elementwise {
  const instructions = Array.from({ length: count - 1 }, (_, at) => ({
    operation: "add" as const,
    operands: [{ value: at === 0 ? 0 : count + at - 1 }, { value: at + 1 }],
  }));
  return { instructions, outputs: [2 * count - 2] };
}

describe("an epilogue's result", () => {
  it.each([
    ["with one group and less than a panel", 500, 20],
    ["with one group and more than a panel", 500, 140],
    ["with two groups", 1100, 140],
    ["with two pieces of rows", 64, 520],
  ])("%s has the bits of product and epilogue one after the other", async (_, width, rows) => {
    const outputs = [
      [300, 60],
      [7, 353],
    ];
    const kernels = new RankKernels(1024, [kernelFiles.fused]);
    const placed = placedMatrices(kernels, width, outputs);
    const list = InstructionList.open(kernels, gate, 2)!;
    const x = unevenRows(rows, width);
    const room = () => kernels.memory.floats(rows * 360)!;
    const [y0, y1, expected, made] = [room(), room(), room(), room()] as const;
    await many(width).multiply(x, kernels, placed, [y0, y1], () => ({}));
    const addresses = [y0, y1, expected].map(({ byteOffset }) => byteOffset);
    kernels.make(list.call(list.copy()!, addresses, rows * 360));
    const epilogue = { list, inputs: [0, 1] };
    expect(await many(width).multiplyInto(x, placed, epilogue, made, () => ({}))).toBe(true);
    expect(made).toEqual(expected);
  });

  it("can have more outputs than the longest strip has tiles", async () => {
    const [count, width, rows, columns] = [21, 64, 20, 32];
    const kernels = new RankKernels(1024, [kernelFiles.fused]);
    const outputs = Array.from({ length: count }, (_, at) => at);
    const placed = placedMatrices(
      kernels,
      width,
      outputs.map(() => [columns]),
    );
    const list = InstructionList.open(kernels, sumOf(count), count)!;
    const x = unevenRows(rows, width);
    const room = () => kernels.memory.floats(rows * columns)!;
    const [products, expected, made] = [outputs.map(room), room(), room()];
    await many(width).multiply(x, kernels, placed, products, () => ({}));
    const addresses = [...products, expected].map(({ byteOffset }) => byteOffset);
    kernels.make(list.call(list.copy()!, addresses, rows * columns));
    await many(width).multiplyInto(x, placed, { list, inputs: outputs }, made, () => ({}));
    expect(made).toEqual(expected);
  });

  it("is not computed if there is no room for it", async () => {
    const width = 64;
    const kernels = new RankKernels(16, [kernelFiles.fused]);
    const placed = placedMatrices(kernels, width, [[64], [64]]);
    const epilogue = { list: InstructionList.open(kernels, gate, 2)!, inputs: [0, 1] };
    const made = kernels.memory.floats(20 * 64)!.fill(7);
    kernels.memory.floats(kernels.memory.bytesFree / 4 - 4096);
    const isMade = await many(width).multiplyInto(unevenRows(20, width), placed, epilogue, made, () => ({}));
    expect(isMade).toBe(false);
    expect(made.every((one) => one === 7)).toBe(true);
  });
});

/** The product of a row of the matrix and a row of activations. */
function plainly({ values, scales, bias, width }: QuantizedMatrix, row: number, x: Float32Array): number {
  let sum = bias![row]!;
  for (let k = 0; k < width; k++) {
    const at = row * blocksOf(width) * 32 + k;
    const value = (values[at >> 1]! >> (at % 2 === 0 ? 0 : 4)) & 15;
    sum += (scales as Float32Array)[at >> 5]! * (value - 8) * x[k]!;
  }
  return sum;
}
