import { describe, expect, it } from "vitest";
import { KernelMemory } from "./kernel-memory.js";
import { TransientTensor } from "./transient-tensor.js";

describe("a transient tensor", () => {
  it("is in the kernels' memory until it is released", () => {
    const memory = new KernelMemory(1);
    const free = memory.bytesFree;
    const value = TransientTensor.take(memory, [3, 20])!;
    expect([value.dims, value.data.length, memory.holds(value.data as Float32Array)]).toEqual([
      [3, 20],
      60,
      true,
    ]);
    value.release();
    expect(memory.bytesFree).toBe(free);
  });

  it("that is released twice does not release another one at the same place", () => {
    const memory = new KernelMemory(1);
    const value = TransientTensor.take(memory, [60])!;
    value.release();
    const next = memory.floats(60)!;
    expect(next.byteOffset).toBe((value.data as Float32Array).byteOffset);
    const free = memory.bytesFree;
    value.release();
    expect(memory.bytesFree).toBe(free);
  });

  it("is an ordinary one if there is no room, or no memory", () => {
    for (const memory of [new KernelMemory(1), undefined]) {
      const value = TransientTensor.takeOrMake(memory, [2, 40_000]);
      expect(value).not.toBeInstanceOf(TransientTensor);
      expect([value.dims, value.data.length]).toEqual([[2, 40_000], 80_000]);
    }
  });
});
