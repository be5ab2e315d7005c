import { expect, it } from "vitest";
import { KernelMemory } from "./kernel-memory.js";

it("allocates zeros, even where something was before", () => {
  const memory = new KernelMemory(1);
  const first = memory.floats(100)!;
  first.fill(7);
  memory.release(first);
  const second = memory.floats(100)!;
  expect(second.byteOffset).toBe(first.byteOffset);
  expect([...second].every((x) => x === 0)).toBe(true);
});

it("joins released memory with free neighbours, so that it can be allocated as a whole", () => {
  const memory = new KernelMemory(1);
  const parts = Array.from({ length: 4 }, () => memory.floats(3900)!);
  expect(memory.floats(3900)).toBeUndefined();
  for (const part of [parts[1]!, parts[3]!, parts[0]!, parts[2]!]) memory.release(part);
  expect(memory.floats(15_600)).toHaveLength(15_600);
});

it("does not release anything twice", () => {
  const memory = new KernelMemory(1);
  const before = memory.bytesFree;
  const floats = memory.floats(100)!;
  memory.release(floats);
  memory.release(floats);
  expect(memory.bytesFree).toBe(before);
});

it("never allocates at address 0, or up to an end without an address", () => {
  const memory = new KernelMemory();
  const all = memory.bytes(memory.bytesFree)!;
  expect(all.byteOffset).toBeGreaterThan(0);
  expect(all.byteOffset + all.length).toBeLessThan(2 ** 32);
});

it("allocates outside of it if there is no room, or if the type is not float32", () => {
  const memory = new KernelMemory(1);
  expect(memory.holds(memory.allocate("float32", 1000))).toBe(true);
  expect(memory.holds(memory.allocate("float32", 1_000_000))).toBe(false);
  expect(memory.holds(memory.allocate("int64", 10))).toBe(false);
});

it("allocates bytes and floats from the same room, aligned to cache lines", () => {
  const memory = new KernelMemory(1);
  const before = memory.bytesFree;
  memory.floats(1);
  const bytes = memory.bytes(100)!;
  expect([bytes.length, bytes.byteOffset % 64, before - memory.bytesFree]).toEqual([100, 0, 64 + 128]);
  expect(memory.holds(bytes)).toBe(true);
  expect(memory.bytes(memory.bytesFree + 1)).toBeUndefined();
  memory.release(bytes);
  expect(memory.bytesFree).toBe(before - 64);
});

it("places cached rows at the beginning of a page, and leaves what is before them to others", () => {
  const memory = new KernelMemory(1);
  const before = memory.bytesFree;
  const cached = [memory.allocate("float32", 100), memory.allocate("float32", 100)];
  expect(cached.map(({ byteOffset }) => byteOffset % 4096)).toEqual([0, 0]);
  expect(before - memory.bytesFree).toBe(2 * 448);
  expect(memory.bytes(64)!.byteOffset).toBeLessThan(cached[0]!.byteOffset);
  for (const rows of cached) memory.release(rows);
  expect(memory.bytesFree).toBe(before - 64);
});
