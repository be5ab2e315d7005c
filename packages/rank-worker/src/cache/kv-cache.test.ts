import { setKernelFlags } from "@ringrank/webassembly";
import { expect, test, vi } from "vitest";
import { RankKernels } from "../kernels/rank-kernels.js";
import { Tensor } from "../tensors/tensor.js";
import { cachedEntry, capacities, expectedRows, NamedCache, rowsOf, step } from "../testing/named-cache.js";
import { size } from "../testing/tiny-program.js";

setKernelFlags();

test("a first step has an empty past, not an empty block", () => {
  const { inputs } = step(new NamedCache(cachedEntry()), [1], 5);
  expect(inputs.get("past")!.dims).toEqual([1, 1, 0, 1]);
  expect(inputs.get("positions")!.dims).toEqual([1, 0]);
});

test("capacity grows in blocks of 64 and keeps the rows", () => {
  const cache = new NamedCache(cachedEntry());
  step(cache, [1], 60);
  expect(capacities(cache)).toEqual([64]);
  for (let token = 0; token < 10; token++) step(cache, [1]);
  expect(capacities(cache)).toEqual([128]);
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 0, 70));
});

test("with a window, capacity stops growing, and the last window − 1 rows are kept", () => {
  const cache = new NamedCache(cachedEntry({ window: 65 }));
  step(cache, [1], 50);
  for (let token = 0; token < 150; token++) step(cache, [1]);
  expect(capacities(cache)).toEqual([64]);
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 200 - 64, 200));
});

test("a window one row longer than a block has its last row in another block", () => {
  const cache = new NamedCache(cachedEntry({ window: 66 }));
  step(cache, [1], 150);
  expect(capacities(cache)).toEqual([128]);
  // Rows that have left the window stay until others replace them.
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 150 - 128, 150));
});

test("of a prompt longer than the window, the last rows are kept", () => {
  const cache = new NamedCache(cachedEntry({ window: 65 }));
  step(cache, [1], 150);
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 86, 150));
});

test.each([
  [undefined, 0],
  [65, 36],
])(
  "with window %s, rows that a kernel copies are those of a cache that grows and wraps around",
  (window, oldest) => {
    const lanes = 4;
    const kernels = new RankKernels(4);
    const oneLane = cachedEntry(window === undefined ? {} : { window });
    const [positions, past] = oneLane.inputs;
    const inputs = [positions!, { ...past!, dims: past!.dims.with(3, size(lanes)) }];
    const cache = new NamedCache({ ...oneLane, inputs }, undefined, kernels);
    const append = vi.spyOn(kernels, "appendRows");
    const present = new Tensor("float32", kernels.memory.floats(lanes)!, [1, 1, 1, lanes]);
    for (let position = 0; position < 100; position++) {
      const range = cache.arrange([1]);
      (present.data as Float32Array).fill(position);
      cache.append([1], 1, range, [present]);
    }
    expect(append).toHaveBeenCalledTimes(100);
    const named = cache.named({ first: 0, count: 1, past: 100, source: 0 });
    const rows = named.get("past")!.data as Float32Array;
    const places = [...(named.get("positions")!.data as BigInt64Array)].map(Number);
    expect(places.filter((position) => position >= 0).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 - oldest }, (_, at) => oldest + at),
    );
    for (const [place, position] of places.entries()) {
      const row = [...rows.subarray(place * lanes, (place + 1) * lanes)];
      expect(row).toEqual(new Array(lanes).fill(Math.max(0, position)));
    }
  },
);

test("an exact cache keeps rows that have left the window: the graph uses their number as the length", () => {
  const cache = new NamedCache(cachedEntry({ window: 3, exact: true }));
  step(cache, [1], 150);
  expect(step(cache, [1]).inputs.get("past")!.dims).toEqual([1, 1, 150, 1]);
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 0, 151));
});

test("a sequence that sits out is not computed and keeps its rows", () => {
  const cache = new NamedCache(cachedEntry());
  step(cache, [1, 2, 3], 2);
  const { range } = step(cache, [1, 3]);
  expect(range.count).toBe(2);
  step(cache, [3, 2, 1]);
  for (const [sequence, length] of [
    [1, 4],
    [2, 3],
    [3, 4],
  ] as const) {
    expect(rowsOf(cache, sequence)).toEqual(expectedRows(sequence, 0, length));
  }
});

test("closing a sequence leaves no gap, and a new one starts empty", () => {
  const cache = new NamedCache(cachedEntry());
  step(cache, [1, 2, 3], 3);
  cache.close(1);
  expect(cache.slots).toBe(2);
  expect(step(cache, [2, 3]).range.count).toBe(2);
  step(cache, [4], 1);
  expect(rowsOf(cache, 4)).toEqual(expectedRows(4, 0, 1));
  expect(rowsOf(cache, 3)).toEqual(expectedRows(3, 0, 4));
});

test("a new sequence starts empty in a slot that another has used", () => {
  const cache = new NamedCache(cachedEntry());
  step(cache, [1, 2, 3, 4], 3);
  cache.close(2);
  step(cache, [5], 1);
  expect(rowsOf(cache, 5)).toEqual(expectedRows(5, 0, 1));
  expect(rowsOf(cache, 4)).toEqual(expectedRows(4, 0, 3));
});

test("capacity shrinks once the longest sequence is closed", () => {
  const cache = new NamedCache(cachedEntry());
  step(cache, [1], 300);
  step(cache, [2], 3);
  expect(capacities(cache)).toEqual([320]);
  cache.close(1);
  expect(capacities(cache)).toEqual([64]);
  expect(rowsOf(cache, 2)).toEqual(expectedRows(2, 0, 3));
});

test("closing a sequence that was never open changes nothing", () => {
  const cache = new NamedCache(cachedEntry());
  step(cache, [1], 3);
  cache.close(99);
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 0, 3));
});

test("a rank without states only keeps positions", () => {
  const cache = new NamedCache(cachedEntry({ states: 0 }));
  step(cache, [1], 3);
  const { inputs } = step(cache, [1]);
  expect([...inputs.keys()]).toEqual(["positions"]);
  expect(cache.length(1)).toBe(4);
});

test("sequences of any lengths share a run, unless a cache is exact: then only those of equal length do", () => {
  const [padded, exact] = [new NamedCache(cachedEntry()), new NamedCache(cachedEntry({ exact: true }))];
  for (const cache of [padded, exact])
    for (const sequence of [1, 2, 3]) step(cache, [sequence], sequence % 2 ? 5 : 7);
  expect(padded.batches([1, 2, 3])).toEqual([[0, 1, 2]]);
  expect(exact.batches([1, 2, 3])).toEqual([[0, 2], [1]]);
});
