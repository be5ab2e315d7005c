import type { Entry } from "@ringrank/policy";
import { expect, test } from "vitest";
import { Tensor } from "../tensors/tensor.js";
import { capacities, NamedCache, output, sourcedEntry, step } from "../testing/named-cache.js";

const filling: Entry = { inputs: [], outputs: [output("cross")], steps: [], caches: [] };

function fill(cache: NamedCache, sequence: number, count: number): void {
  const rows = Float32Array.from({ length: count }, (_, at) => 1000 * sequence + at);
  cache.fill(sequence, count, [new Tensor("float32", rows, [1, 1, count, 1])]);
}

function sourceOf(cache: NamedCache, sequence: number): number[] {
  const inputs = cache.named({ first: cache.slotOf(sequence), count: 1, past: 0, source: 1 });
  const rows = inputs.get("encoded")!.data as Float32Array;
  const positions = inputs.get("source_positions")!.data as BigInt64Array;
  return [...rows].filter((_, at) => positions[at]! >= 0n);
}

test("rows that are filled once do not change while other rows are appended, and exist at the first step", () => {
  const cache = new NamedCache(sourcedEntry(), filling);
  fill(cache, 1, 3);
  const { inputs } = step(cache, [1]);
  expect(inputs.get("past")!.dims).toEqual([1, 1, 0, 1]);
  expect(inputs.get("encoded")!.dims).toEqual([1, 1, 64, 1]);
  for (let token = 0; token < 100; token++) step(cache, [1]);
  expect(capacities(cache)).toEqual([128, 64]);
  expect(sourceOf(cache, 1)).toEqual([1000, 1001, 1002]);
});

test("sources stay with their sequences when slots move, and capacity follows the longest source", () => {
  const cache = new NamedCache(sourcedEntry(), filling);
  for (const sequence of [1, 2, 3]) fill(cache, sequence, sequence === 1 ? 70 : sequence);
  step(cache, [1, 2, 3]);
  step(cache, [1, 3]);
  expect(capacities(cache)).toEqual([64, 128]);
  cache.close(1);
  step(cache, [2, 3]);
  expect(capacities(cache)).toEqual([64, 64]);
  expect(sourceOf(cache, 2)).toEqual([2000, 2001]);
  expect(sourceOf(cache, 3)).toEqual([3000, 3001, 3002]);
  fill(cache, 4, 1);
  step(cache, [4]);
  expect(sourceOf(cache, 4)).toEqual([4000]);
});

test("if the cache of sources is exact, sequences with sources of equal length share a run", () => {
  const cache = new NamedCache(sourcedEntry(true), filling);
  for (const sequence of [1, 2, 3]) {
    fill(cache, sequence, sequence % 2 ? 3 : 4);
    // Their own lengths, by which they would be one batch or separate ones, do not matter.
    step(cache, [sequence], sequence);
  }
  expect(cache.batches([1, 2, 3])).toEqual([[0, 2], [1]]);
});
