import { setFlagsFromString } from "node:v8";
import { kernelFlags } from "@ringrank/webassembly";
import { expect, it } from "vitest";
import { kernelFiles, RankKernels } from "./rank-kernels.js";

for (const flag of kernelFlags) setFlagsFromString(flag);

it.each(["plain", "fused"] as const)("constants of the %s kernels lie before what is given out", (build) => {
  const { memory } = new RankKernels(1, [kernelFiles[build]]);
  const all = new Uint8Array(memory.memory.buffer);
  const lastConstant = all.findLastIndex((byte) => byte !== 0);
  expect(lastConstant).toBeGreaterThan(0);
  expect(lastConstant).toBeLessThan(memory.bytes(1)!.byteOffset);
  // The kernels rely on this zero.
  expect(all[0]).toBe(0);
});

it("room to work in is the same until more is asked for, and then gives back what it was", () => {
  const kernels = new RankKernels(1);
  const free = kernels.memory.bytesFree;
  const first = kernels.scratch(100)!;
  expect(kernels.scratch(50)).toBe(first);
  for (const count of [200, 400]) expect(kernels.scratch(count)!.length).toBeGreaterThanOrEqual(count);
  expect(free - kernels.memory.bytesFree).toBe(4 * 400);
});

it("there is no room to work in that is larger than the memory, and less of it again then", () => {
  const kernels = new RankKernels(1);
  expect(kernels.scratch(2 ** 16)).toBeUndefined();
  expect(kernels.scratch(100)).toBeDefined();
});
