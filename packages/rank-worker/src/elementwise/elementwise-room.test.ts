import { describe, expect, it } from "vitest";
import { KernelMemory } from "../kernels/kernel-memory.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import { tensor } from "../tensors/tensor.js";
import { ElementwiseRoom } from "./elementwise-room.js";

const values = (...dims: number[]) => tensor("float32", new Float32Array(dims.reduce((a, b) => a * b)), dims);

describe("room for elementwise results", () => {
  it("has the shape of the inputs, and is available again once no step reads it", () => {
    const memory = new KernelMemory(64);
    const free = memory.bytesFree;
    const room = new ElementwiseRoom(memory, [0, 2], ["y", "z"]);
    const { y, z } = room.take([values(3, 40), undefined, values(3, 40)]);
    expect([y!.dims, z!.dims]).toEqual([
      [3, 40],
      [3, 40],
    ]);
    expect(memory.holds(y!.data as Float32Array)).toBe(true);
    TransientTensor.releaseAll([y, z]);
    expect(memory.bytesFree).toBe(free);
  });

  it("is not provided if shapes differ, since only the session's operators can broadcast", () => {
    const room = new ElementwiseRoom(new KernelMemory(64), [0, 1], ["y"]);
    expect(room.take([values(3, 40), values(1, 40)])).toEqual({});
  });

  it("is not provided if the memory is full", () => {
    const room = new ElementwiseRoom(new KernelMemory(1), [0], ["y"]);
    expect(room.take([values(3, 40_000)])).toEqual({});
  });
});
