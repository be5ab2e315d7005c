import { describe, expect, it } from "vitest";
import { KernelMemory } from "../kernels/kernel-memory.js";
import { tensor } from "../tensors/tensor.js";
import { StagedInput } from "./staged-input.js";

/** A table of one place. */
const tableOf = (data: Float32Array) => [tensor("float32", data, [data.length])];

/** What the memory has at an address. */
const floatsAt = ({ memory }: KernelMemory, address: number, length: number) => [
  ...new Float32Array(memory.buffer, address, length),
];

/** Where the next floats would lie. */
function nextFree(memory: KernelMemory): number {
  const next = memory.floats(1)!;
  memory.release(next);
  return next.byteOffset;
}

describe("an input", () => {
  it("is copied into the kernels' memory in each run, to the same place", () => {
    const memory = new KernelMemory(16);
    const input = new StagedInput(memory, 0);
    const first = input.address(tableOf(Float32Array.of(1, 2, 3)), 1, 3)!;
    expect(floatsAt(memory, first, 3)).toEqual([1, 2, 3]);
    const second = input.address(tableOf(Float32Array.of(4, 5)), 2, 2)!;
    expect(second).toBe(first);
    expect(floatsAt(memory, second, 2)).toEqual([4, 5]);
  });

  it("that lies in the kernels' memory is read where it is", () => {
    const memory = new KernelMemory(16);
    const data = memory.floats(4)!;
    const next = nextFree(memory);
    expect(new StagedInput(memory, 0).address(tableOf(data), 1, 4)).toBe(data.byteOffset);
    expect(nextFree(memory)).toBe(next);
  });

  it("is what the table has, though it was another tensor in the same run, or one that lay elsewhere", () => {
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

  it("of another length has no address, and takes no room", () => {
    const memory = new KernelMemory(16);
    const next = nextFree(memory);
    expect(new StagedInput(memory, 0).address(tableOf(new Float32Array(1000)), 1, 8)).toBeUndefined();
    expect(nextFree(memory)).toBe(next);
  });

  it("has an address for its own length alone, though it is the tensor of before", () => {
    const memory = new KernelMemory(16);
    const input = new StagedInput(memory, 0);
    const table = tableOf(memory.floats(4)!);
    expect(input.address(table, 1, 4)).toBeDefined();
    expect(input.address(table, 1, 8)).toBeUndefined();
    expect(input.address(table, 1, 4)).toBeDefined();
  });

  it("that there is no room for has no address, nor has in that run what was copied before", () => {
    const memory = new KernelMemory(1);
    const input = new StagedInput(memory, 0);
    const [few, many] = [Float32Array.of(1, 2, 3), new Float32Array(65_536)].map(tableOf);
    expect(input.address(few!, 1, 3)).toBeDefined();
    expect(input.address(many!, 1, 65_536)).toBeUndefined();
    expect(input.address(few!, 1, 3)).toBeUndefined();
    expect(floatsAt(memory, input.address(few!, 2, 3)!, 3)).toEqual([1, 2, 3]);
  });
});
