import { expect, test } from "vitest";
import { KernelMemory } from "../kernels/kernel-memory.js";
import { StateBuffer, type StateShape } from "./state-buffer.js";

/** Two heads of one lane: a slot of three rows is `a a a  b b b`. */
const shape: StateShape = { type: "float32", outer: [2], inner: [1], fill: 0 };
const unbounded = Number.POSITIVE_INFINITY;
const content = (buffer: StateBuffer, first: number, count: number) =>
  [...buffer.view(first, count, "all").data] as number[];

test("new rows follow the old ones of each head, taken from their row of the batch", () => {
  const buffer = new StateBuffer(shape, unbounded);
  buffer.resize(2, 3);
  const batch = Float32Array.of(0, 0, 0, 0, 1, 2, 10, 20);
  buffer.append(1, 0, batch, 1, 2);
  buffer.append(1, 2, Float32Array.of(3, 30), 0, 1);
  expect(content(buffer, 1, 1)).toEqual([1, 2, 3, 10, 20, 30]);
  expect(content(buffer, 0, 1)).toEqual([0, 0, 0, 0, 0, 0]);
});

test("growth keeps every row in its place and fills the rest", () => {
  const positions = new StateBuffer({ type: "int64", outer: [], inner: [], fill: 0xff }, unbounded);
  positions.resize(1, 2);
  positions.append(0, 0, BigInt64Array.of(0n, 1n), 0, 2);
  positions.resize(2, 4);
  const all = positions.view(0, 2, "all");
  expect(all.dims).toEqual([2, 4]);
  expect([...(all.data as BigInt64Array)]).toEqual([0n, 1n, -1n, -1n, -1n, -1n, -1n, -1n]);
});

test("a range of slots is the buffer itself, not a copy", () => {
  const buffer = new StateBuffer(shape, unbounded);
  buffer.resize(3, 1);
  const before = buffer.view(1, 2, "all");
  buffer.append(2, 0, Float32Array.of(7, 8), 0, 1);
  expect([...(before.data as Float32Array)]).toEqual([0, 0, 7, 8]);
});

test("a view of the same slots and rows is the same tensor until the buffer is resized", () => {
  const buffer = new StateBuffer(shape, unbounded);
  buffer.resize(2, 1);
  const view = buffer.view(0, 1, "all");
  expect(buffer.view(0, 1, "all")).toBe(view);
  expect(buffer.view(1, 1, "all")).not.toBe(view);
  buffer.resize(3, 1);
  buffer.append(1, 0, Float32Array.of(7, 8), 0, 1);
  expect(content(buffer, 1, 1)).toEqual([7, 8]);
});

test("the memory before a resize is released", () => {
  const memory = new KernelMemory(1);
  const buffer = new StateBuffer(shape, unbounded, memory);
  buffer.resize(1, 64);
  const free = memory.bytesFree;
  buffer.resize(2, 64);
  buffer.resize(1, 64);
  expect(memory.bytesFree).toBe(free);
});

test.each([1, 300])("keeps rows of %i lanes", (lanes) => {
  const buffer = new StateBuffer({ ...shape, outer: [1], inner: [lanes] }, unbounded);
  buffer.resize(1, 2);
  const row = Float32Array.from({ length: lanes }, (_, i) => i + 1);
  buffer.append(0, 1, row, 0, 1);
  expect(content(buffer, 0, 1)).toEqual([...new Float32Array(lanes), ...row]);
});

test("keeps rows bit for bit, whatever type of array they are in", () => {
  const buffer = new StateBuffer(shape, unbounded);
  buffer.resize(1, 1);
  const row = Float32Array.of(1.5, -2);
  buffer.append(0, 0, new Int32Array(row.buffer), 0, 1);
  expect(content(buffer, 0, 1)).toEqual([...row]);
});

test("rows beyond the ring replace the oldest", () => {
  const buffer = new StateBuffer(shape, 3);
  buffer.resize(1, 3);
  buffer.append(0, 0, Float32Array.of(0, 1, 2, 10, 11, 12), 0, 3);
  buffer.append(0, 3, Float32Array.of(3, 13), 0, 1);
  expect(content(buffer, 0, 1)).toEqual([3, 1, 2, 13, 11, 12]);
});

test("if there are more new rows than the ring has, the last ones are kept", () => {
  const buffer = new StateBuffer({ ...shape, outer: [1] }, 3);
  buffer.resize(1, 3);
  buffer.append(0, 1, Float32Array.of(1, 2, 3, 4, 5), 0, 5);
  expect(content(buffer, 0, 1)).toEqual([3, 4, 5]);
});

test("slots can be cleared, copied and swapped", () => {
  const buffer = new StateBuffer(shape, unbounded);
  buffer.resize(3, 1);
  for (const slot of [0, 1, 2]) buffer.append(slot, 0, Float32Array.of(slot + 1, slot + 11), 0, 1);
  buffer.swapSlots(0, 2);
  expect(content(buffer, 0, 3)).toEqual([3, 13, 2, 12, 1, 11]);
  buffer.copySlot(0, 1);
  buffer.clear(2);
  expect(content(buffer, 0, 3)).toEqual([3, 13, 3, 13, 0, 0]);
});

test("a view of no rows has the slots and heads but no elements", () => {
  const buffer = new StateBuffer(shape, unbounded);
  buffer.resize(2, 5);
  const none = buffer.view(0, 2, 0);
  expect(none.dims).toEqual([2, 2, 0, 1]);
  expect(none.data).toHaveLength(0);
});
