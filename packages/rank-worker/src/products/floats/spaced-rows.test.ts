import "../../../../../test/support/optimized-kernels.js";
import { expect, it } from "vitest";
import { kernelFiles, RankKernels } from "../../kernels/rank-kernels.js";
import { spacedLength, spaceRows } from "./spaced-rows.js";

it("puts a cache line between rows that would be whole multiples of 4 KiB apart", () => {
  expect([1024, 2048, 5120].map(spacedLength)).toEqual([1040, 2064, 5136]);
});

it("leaves rows of any other width where they are", () => {
  expect([1, 512, 896, 1040, 1536].map(spacedLength)).toEqual([1, 512, 896, 1040, 1536]);
});

const types = { float32: Float32Array, bfloat16: Uint16Array };

it.each([
  ["float32", 3, 64, 80],
  ["float32", 2, 41, 43],
  ["bfloat16", 3, 64, 64],
  ["bfloat16", 2, 41, 57],
] as const)("a kernel copies rows of %s like plain code: %i of %i to %i", (type, rows, width, length) => {
  const kernels = new RankKernels(4, [kernelFiles.plain]);
  const [from, out] = [rows * width, rows * length].map((count) => kernels.memory.floats(count)!);
  const near = new types[type](kernels.memory.memory.buffer, from!.byteOffset, rows * width);
  // As bfloat16 these are numbers of all magnitudes, and both signs.
  for (const [i] of near.entries()) near[i] = (0xff7f - 1237 * i) & 0xffff;
  const expected = new Float32Array(out!.length).fill(7);
  spaceRows(near.slice(), width, expected, length, undefined);
  out!.fill(7);
  spaceRows(near, width, out!, length, kernels);
  expect(out).toEqual(expected);
});

it("ends rows with zeros", () => {
  const out = new Float32Array(10).fill(7);
  spaceRows(Float32Array.of(1, 2, 3, 4, 5, 6), 3, out, 5, undefined);
  expect([...out]).toEqual([1, 2, 3, 0, 0, 4, 5, 6, 0, 0]);
});

it("reads bfloat16 as the upper half of a float", () => {
  const out = new Float32Array(3);
  spaceRows(Uint16Array.of(0x3f80, 0xc040, 0x7f80), 3, out, 3, undefined);
  expect([...out]).toEqual([1, -3, Number.POSITIVE_INFINITY]);
});
