import { describe, expect, it } from "vitest";
import { KernelMemory } from "../kernels/kernel-memory.js";
import { tensor } from "../tensors/tensor.js";
import { StagedInput } from "./staged-input.js";

/** A table with one value. */
const tableOf = (data: Float32Array) => [tensor("float32", data, [data.length])];

/** The contents of the memory at an address. */
const floatsAt = ({ memory }: KernelMemory, address: number, length: number) => [
  ...new Float32Array(memory.buffer, address, length),
];

/** The address at which the next floats would be placed. */
function nextFree(memory: KernelMemory): number {
  const next = memory.floats(1)!;
  memory.release(next);
  return next.byteOffset;
}

describe("an input", () => {
  it("is copied to the kernels' memory in each run, to the same address", () => {
    const memory = new KernelMemory(16);
    const input = new StagedInput(memory, 0);
    const first = input.address(tableOf(Float32Array.of(1, 2, 3)), 1, 3)!;
    expect(floatsAt(memory, first, 3)).toEqual([1, 2, 3]);
    const second = input.address(tableOf(Float32Array.of(4, 5)), 2, 2)!;
    expect(second).toBe(first);
    expect(floatsAt(memory, second, 2)).toEqual([4, 5]);
  });

  it("is read in place if it is in the kernels' memory", () => {
    const memory = new KernelMemory(16);
    const data = memory.floats(4)!;
    const next = nextFree(memory);
    expect(new StagedInput(memory, 0).address(tableOf(data), 1, 4)).toBe(data.byteOffset);
    expect(nextFree(memory)).toBe(next);
  });

  it("is always the table's current value, even if it was another tensor in the same run, or in another memory", () => {
    const memory = new KernelMemory(16);
    const [one, other] = [memory.floats(4)!, memory.floats(4)!];
    const input = new StagedInput(memory, 0);
    expect(input.address(tableOf(one), 1, 4)).toBe(one.byteOffset);
    expect(input.address(tableOf(other), 1, 4)).toBe(other.byteOffset);
    const data = Float32Array.of(1, 2, 3, 4);
    const elsewhere = tableOf(data);
    const copy = input.address(elsewhere, 2, 4)!;
    data.set([5, 6, 7, 8]);
    expect(input.address(elsewhere, 3, 4)).toBe(copy);
    expect(floatsAt(memory, copy, 4)).toEqual([5, 6, 7, 8]);
    expect(input.address(tableOf(one), 3, 4)).toBe(one.byteOffset);
  });

  it("with another length has no address, and takes no room", () => {
    const memory = new KernelMemory(16);
    const next = nextFree(memory);
    expect(new StagedInput(memory, 0).address(tableOf(new Float32Array(1000)), 1, 8)).toBeUndefined();
    expect(nextFree(memory)).toBe(next);
  });

  it("only has an address for its own length, even if it is the same tensor as before", () => {
    const memory = new KernelMemory(16);
    const input = new StagedInput(memory, 0);
    const table = tableOf(memory.floats(4)!);
    expect(input.address(table, 1, 4)).toBeDefined();
    expect(input.address(table, 1, 8)).toBeUndefined();
    expect(input.address(table, 1, 4)).toBeDefined();
  });

  it("has no address if there is no room, nor later in that run if it was copied before", () => {
    const memory = new KernelMemory(1);
    const input = new StagedInput(memory, 0);
    const [few, many] = [Float32Array.of(1, 2, 3), new Float32Array(65_536)].map(tableOf);
    expect(input.address(few!, 1, 3)).toBeDefined();
    expect(input.address(many!, 1, 65_536)).toBeUndefined();
    expect(input.address(few!, 1, 3)).toBeUndefined();
    expect(floatsAt(memory, input.address(few!, 2, 3)!, 3)).toEqual([1, 2, 3]);
  });
});
