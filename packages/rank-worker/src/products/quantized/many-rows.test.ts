import { setFlagsFromString } from "node:v8";
import type { QuantizedProductStep } from "@ringrank/policy";
import { relaxedSimdFlags } from "@ringrank/webassembly";
import { expect, it } from "vitest";
import { kernelFiles, RankKernels } from "../../kernels/rank-kernels.js";
import type { Placed } from "../placed.js";
import { blocksOf, type QuantizedMatrix } from "./blocks.js";
import type { IntegerProduct } from "./integer-product.js";
import { ManyRows } from "./many-rows.js";
import { scalesByRow } from "./scale-runs.js";

for (const flag of relaxedSimdFlags) setFlagsFromString(flag);

/** Two groups of blocks, the last of which is partial. */
const width = 1100;

/** Matrices, by output: a strip has rows of several, and one output has rows in two strips. */
const outputs = [[300, 7], [500], [9]];

/** What a session makes of whole numbers. */
const integers = {
  activationType: async () => "int8",
  multiply: async (weights: Uint8Array, rows: number, x: Int8Array, columns: number, sums: Int32Array) => {
    const elements = weights.length / rows;
    sums.fill(0, 0, rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < elements; k++) {
        const weight = weights[row * elements + k]! - 128;
        for (let c = 0; c < columns; c++) sums[row * columns + c]! += weight * x[k * columns + c]!;
      }
    }
  },
} as unknown as IntegerProduct;

const random = (index: number): number => ((index * 48_271) % 65_537) / 65_537;

// A panel and part of another.
it.each([3, 130])(
  "%i rows times all matrices of a step are their products, near kernels or not",
  async (rows) => {
    const kernels = new RankKernels(1024, [kernelFiles.fused]);
    const inMemory = (from: Float32Array): Float32Array => {
      const near = kernels.memory.floats(from.length)!;
      near.set(from);
      return near;
    };
    let seed = 1;
    const placed: Placed<QuantizedMatrix>[] = outputs.flatMap((matrices, output) => {
      let offset = 0;
      return matrices.map((count) => {
        const values = kernels.memory.bytes(count * blocksOf(width) * 16)!;
        for (const [i] of values.entries()) values[i] = Math.floor(random(seed++) * 256);
        const scales = inMemory(Float32Array.from({ length: count * blocksOf(width) }, () => random(seed++)));
        const bias = inMemory(Float32Array.from({ length: count + 3 }, () => random(seed++)));
        const scaleRuns = scalesByRow(count);
        const matrix = { rows: count, width, values, scales, scaleRuns, bias, offset, kernels };
        offset += count;
        return { matrix, output };
      });
    });
    const x = Float32Array.from({ length: rows * width }, () => random(seed++) - 0.5);
    const widths = outputs.map((matrices) => matrices.reduce((sum, count) => sum + count));
    const many = new ManyRows({ bits: 4, width } as QuantizedProductStep, integers);
    const multiplied = async (by: RankKernels | undefined, make: (floats: number) => Float32Array) => {
      const targets = widths.map((of) => make(rows * of).fill(7));
      await many.multiply(x, by, placed, targets, () => ({}));
      return targets;
    };
    const near = await multiplied(kernels, (floats) => kernels.memory.floats(floats)!);
    const far = await multiplied(kernels, (floats) => new Float32Array(floats));
    for (const { matrix, output } of placed) {
      const check = [0, matrix.rows - 1].flatMap((row) => [0, rows - 1].map((of) => [row, of] as const));
      for (const [row, of] of check) {
        const at = of * widths[output]! + matrix.offset + row;
        // Rounded to whole numbers of a group's scale: a 254th of the largest weight and activation, in each product.
        expect(Math.abs(near[output]![at]! - plainly(matrix, row, x.subarray(of * width)))).toBeLessThan(0.5);
      }
    }
    expect(far).toEqual(near.map((target) => target.slice()));
  },
);

/** Of a row of the matrix and one of activations. */
function plainly({ values, scales, bias }: QuantizedMatrix, row: number, x: Float32Array): number {
  let sum = bias![row]!;
  for (let k = 0; k < width; k++) {
    const at = row * blocksOf(width) * 32 + k;
    const value = (values[at >> 1]! >> (at % 2 === 0 ? 0 : 4)) & 15;
    sum += (scales as Float32Array)[at >> 5]! * (value - 8) * x[k]!;
  }
  return sum;
}
