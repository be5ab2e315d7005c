import { describe, expect, it } from "vitest";
import { KernelMemory } from "./kernel-memory.js";
import { floatsAtOnce, KernelResult } from "./kernel-result.js";

describe("a kernel's result", () => {
  it("is the same tensor for the same sizes, and another one at the same place for others", () => {
    const result = new KernelResult(new KernelMemory(1));
    const first = result.tensor([2, 10])!;
    expect(result.tensor([2, 10])).toBe(first);
    const other = result.tensor([10, 2])!;
    expect(other.dims).toEqual([10, 2]);
    expect((other.data as Float32Array).byteOffset).toBe((first.data as Float32Array).byteOffset);
  });

  it("releases its place when it grows", () => {
    const memory = new KernelMemory(1);
    const free = memory.bytesFree;
    const result = new KernelResult(memory);
    for (const count of [16, 160, 1600]) result.tensor([count]);
    expect(free - memory.bytesFree).toBe(4 * 1600);
  });

  it("is undefined for more floats than are processed at once, or than the limit, or if there is no room", () => {
    const result = new KernelResult(new KernelMemory(4));
    expect(result.tensor([floatsAtOnce + 1])).toBeUndefined();
    expect(result.tensor([17], 16)).toBeUndefined();
    expect(result.tensor([floatsAtOnce + 1], Number.POSITIVE_INFINITY)).toBeDefined();
    expect(result.tensor([100_000], Number.POSITIVE_INFINITY)).toBeUndefined();
  });
});
