import { setKernelFlags } from "@ringrank/webassembly";
import { expect, it } from "vitest";
import { kernelFiles, RankKernels } from "./rank-kernels.js";

setKernelFlags();

it.each(["plain", "fused"] as const)("constants of the %s kernels are before all allocations", (build) => {
  const { memory } = new RankKernels(1, [kernelFiles[build]]);
  const all = new Uint8Array(memory.memory.buffer);
  const lastConstant = all.findLastIndex((byte) => byte !== 0);
  expect(lastConstant).toBeGreaterThan(0);
  expect(lastConstant).toBeLessThan(memory.bytes(1)!.byteOffset);
  // Address 0 stands for nothing, such as no bias.
  expect(all[0]).toBe(0);
});

it("scratch space is the same until more is needed, and then the old one is released", () => {
  const kernels = new RankKernels(1);
  const free = kernels.memory.bytesFree;
  const first = kernels.scratch(100)!;
  expect(kernels.scratch(50)).toBe(first);
  for (const count of [200, 400]) expect(kernels.scratch(count)!.length).toBeGreaterThanOrEqual(count);
  expect(free - kernels.memory.bytesFree).toBe(4 * 400);
});

it("there is no scratch space larger than the memory, but smaller scratch space is available again afterwards", () => {
  const kernels = new RankKernels(1);
  expect(kernels.scratch(2 ** 16)).toBeUndefined();
  expect(kernels.scratch(100)).toBeDefined();
});
