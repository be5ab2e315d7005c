import { describe, expect, it } from "vitest";
import { KernelMemory } from "../kernels/kernel-memory.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import { tensor } from "../tensors/tensor.js";
import { ElementwiseRoom } from "./elementwise-room.js";

const values = (...dims: number[]) => tensor("float32", new Float32Array(dims.reduce((a, b) => a * b)), dims);

describe("room for what is made element by element", () => {
  it("has the shape of what it is made of, and is there again once no step reads it", () => {
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

  it("is none where shapes differ, which only the session's operators know to join", () => {
    const room = new ElementwiseRoom(new KernelMemory(64), [0, 1], ["y"]);
    expect(room.take([values(3, 40), values(1, 40)])).toEqual({});
  });

  it("is none where the memory has none", () => {
    const room = new ElementwiseRoom(new KernelMemory(1), [0], ["y"]);
    expect(room.take([values(3, 40_000)])).toEqual({});
  });
});
