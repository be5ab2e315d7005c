import type { Entry, LocalValue } from "@ringrank/policy";
import { setKernelFlags } from "@ringrank/webassembly";
import { expect, test, vi } from "vitest";
import { RankKernels } from "../kernels/rank-kernels.js";
import { byName } from "../tensors/in-order.js";
import { Tensor } from "../tensors/tensor.js";
import { KvCache, type StepRange } from "./kv-cache.js";
import { cacheLimits, restorableTokens } from "./restorable.js";

setKernelFlags();

const fixed = (scale: number) => ({ scale, symbols: [] });
const free = (name: string) => ({ scale: 1, symbols: [name] });

/** A cache whose inputs have names. */
class NamedCache extends KvCache {
  readonly #entry: Entry;

  constructor(entry: Entry, filling?: Entry, kernels?: RankKernels) {
    super(entry, filling, kernels);
    this.#entry = entry;
  }

  named(range: StepRange): Map<string, Tensor> {
    return byName(this.#entry.inputs, this.inputs(range));
  }
}

/** Of outputs, a cache only looks at the names. */
const output = (name: string): LocalValue => ({ name, type: "float32", dims: [] });

/** One head with one lane; `states: 0` is a rank without attention. */
function entry(options: { window?: number; exact?: boolean; states?: 0 | 1 } = {}): Entry {
  const { window, exact = false, states = 1 } = options;
  return {
    inputs: [
      { name: "positions", type: "int64", dims: [free("batch"), free("past")] },
      ...(states === 0
        ? []
        : [
            {
              name: "past",
              type: "float32" as const,
              dims: [free("batch"), fixed(1), free("past"), fixed(1)],
            },
          ]),
    ],
    outputs: [output("present")],
    steps: [],
    caches: [
      {
        positions: "positions",
        ...(window === undefined ? {} : { window }),
        ...(exact ? { exact } : {}),
        states: [{ past: "past", present: "present", axis: 2 }],
      },
    ],
  };
}

/** Rows for which a slot has room, by cache: a step with a past is fed all of them. */
const capacities = (cache: NamedCache) => {
  const inputs = cache.named({ first: 0, count: 1, past: 1, source: 1 });
  return [...inputs].filter(([name]) => name.endsWith("positions")).map(([, { dims }]) => dims[1]);
};

/** A step in which each sequence's new rows are `100 · sequence + position`. */
function step(cache: NamedCache, sequences: readonly number[], newTokens = 1) {
  const range = cache.arrange(sequences);
  const inputs = cache.named(range);
  const present = new Float32Array(range.count * newTokens);
  for (const sequence of sequences) {
    const row = cache.slotOf(sequence) - range.first;
    for (let token = 0; token < newTokens; token++) {
      present[row * newTokens + token] = 100 * sequence + cache.length(sequence) + token;
    }
  }
  cache.append(sequences, newTokens, range, [new Tensor("float32", present, [range.count, 1, newTokens, 1])]);
  return { range, inputs };
}

/** The rows that a step of only this sequence would see, by position. */
function rowsOf(cache: NamedCache, sequence: number): Record<number, number> {
  const slot = cache.slotOf(sequence);
  const inputs = cache.named({ first: slot, count: 1, past: cache.length(sequence), source: 0 });
  const positions = [...(inputs.get("positions")!.data as BigInt64Array)].map(Number);
  const rows = inputs.get("past")!.data as Float32Array;
  return Object.fromEntries(
    positions
      .map((position, row): [number, number] => [position, rows[row]!])
      .filter(([position]) => position >= 0),
  );
}

const expectedRows = (sequence: number, from: number, to: number) =>
  Object.fromEntries(
    Array.from({ length: to - from }, (_, i): [number, number] => [from + i, 100 * sequence + from + i]),
  );

test("a first step has an empty past, not an empty block", () => {
  const { inputs } = step(new NamedCache(entry()), [1], 5);
  expect(inputs.get("past")!.dims).toEqual([1, 1, 0, 1]);
  expect(inputs.get("positions")!.dims).toEqual([1, 0]);
});

test("capacity grows in blocks of 64 and keeps the rows", () => {
  const cache = new NamedCache(entry());
  step(cache, [1], 60);
  expect(capacities(cache)).toEqual([64]);
  for (let token = 0; token < 10; token++) step(cache, [1]);
  expect(capacities(cache)).toEqual([128]);
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 0, 70));
});

test("with a window, capacity stops growing, and the last window − 1 rows are kept", () => {
  const cache = new NamedCache(entry({ window: 65 }));
  step(cache, [1], 50);
  for (let token = 0; token < 150; token++) step(cache, [1]);
  expect(capacities(cache)).toEqual([64]);
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 200 - 64, 200));
});

test("a window one row longer than a block has its last row in another block", () => {
  const cache = new NamedCache(entry({ window: 66 }));
  step(cache, [1], 150);
  expect(capacities(cache)).toEqual([128]);
  // Rows that have left the window stay until others replace them.
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 150 - 128, 150));
});

test("of a prompt longer than the window, the last rows are kept", () => {
  const cache = new NamedCache(entry({ window: 65 }));
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
    const oneLane = entry(window === undefined ? {} : { window });
    const [positions, past] = oneLane.inputs;
    const inputs = [positions!, { ...past!, dims: past!.dims.with(3, fixed(lanes)) }];
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
  const cache = new NamedCache(entry({ window: 3, exact: true }));
  step(cache, [1], 150);
  expect(step(cache, [1]).inputs.get("past")!.dims).toEqual([1, 1, 150, 1]);
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 0, 151));
});

test("a sequence that sits out is not computed and keeps its rows", () => {
  const cache = new NamedCache(entry());
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
  const cache = new NamedCache(entry());
  step(cache, [1, 2, 3], 3);
  cache.close(1);
  expect(cache.slots).toBe(2);
  expect(step(cache, [2, 3]).range.count).toBe(2);
  step(cache, [4], 1);
  expect(rowsOf(cache, 4)).toEqual(expectedRows(4, 0, 1));
  expect(rowsOf(cache, 3)).toEqual(expectedRows(3, 0, 4));
});

test("a new sequence starts empty in a slot that another has used", () => {
  const cache = new NamedCache(entry());
  step(cache, [1, 2, 3, 4], 3);
  cache.close(2);
  step(cache, [5], 1);
  expect(rowsOf(cache, 5)).toEqual(expectedRows(5, 0, 1));
  expect(rowsOf(cache, 4)).toEqual(expectedRows(4, 0, 3));
});

test("capacity shrinks once the longest sequence is closed", () => {
  const cache = new NamedCache(entry());
  step(cache, [1], 300);
  step(cache, [2], 3);
  expect(capacities(cache)).toEqual([320]);
  cache.close(1);
  expect(capacities(cache)).toEqual([64]);
  expect(rowsOf(cache, 2)).toEqual(expectedRows(2, 0, 3));
});

test("closing a sequence that was never open changes nothing", () => {
  const cache = new NamedCache(entry());
  step(cache, [1], 3);
  cache.close(99);
  expect(rowsOf(cache, 1)).toEqual(expectedRows(1, 0, 3));
});

test("a rank without states only keeps positions", () => {
  const cache = new NamedCache(entry({ states: 0 }));
  step(cache, [1], 3);
  const { inputs } = step(cache, [1]);
  expect([...inputs.keys()]).toEqual(["positions"]);
  expect(cache.length(1)).toBe(4);
});

test("a restored sequence has the first rows of the kept one, in a slot of its own, and goes on from there", () => {
  const cache = new NamedCache(entry());
  step(cache, [1], 70);
  cache.keep(1);
  cache.restore(2, 1, 5);
  expect(rowsOf(cache, 2)).toEqual(expectedRows(1, 0, 5));
  step(cache, [2]);
  expect(rowsOf(cache, 2)).toEqual({ ...expectedRows(1, 0, 5), 5: 205 });
});

test("a kept sequence takes no slot and no capacity, and can be restored until it is closed", () => {
  const cache = new NamedCache(entry());
  step(cache, [1], 300);
  step(cache, [2], 3);
  cache.keep(1);
  expect(cache.slots).toBe(1);
  expect(capacities(cache)).toEqual([64]);
  cache.restore(3, 1, 200);
  cache.restore(4, 1, 300);
  expect(rowsOf(cache, 3)).toEqual(expectedRows(1, 0, 200));
  expect(rowsOf(cache, 4)).toEqual(expectedRows(1, 0, 300));
  expect(rowsOf(cache, 2)).toEqual(expectedRows(2, 0, 3));
  cache.close(1);
  expect(() => cache.restore(5, 1, 3)).toThrow(expect.objectContaining({ code: "RR_INPUT" }));
});

/** Whether the rows of all positions that the next token sees are there. */
function isWhole(cache: NamedCache, sequence: number, window: number): boolean {
  const length = cache.length(sequence);
  const rows = rowsOf(cache, sequence);
  return Object.keys(expectedRows(sequence, Math.max(0, length - (window - 1)), length)).every(
    (position) => position in rows,
  );
}

test.each([2, 64, 65, 66, 100])(
  "with a window of %i, what is restorable has all rows that the next token sees, also if what was kept had been restored",
  (window) => {
    const windowed = entry({ window });
    const cache = new NamedCache(windowed);
    let last = 0;
    /** Keeps a sequence, and restores all beginnings of it that may be restored, one after the other. */
    const forEachRestored = (kept: number, then: (restored: number) => void): void => {
      const length = cache.length(kept);
      cache.keep(kept);
      for (const common of [1, 30, 64, 65, 127, length - 20, length - 1, length]) {
        if (common < 1 || common > length) continue;
        if (restorableTokens(cacheLimits(windowed), length, common) === 0) continue;
        const restored = ++last;
        cache.restore(restored, kept, common);
        expect([length, common, isWhole(cache, restored, window)]).toEqual([length, common, true]);
        expect(Math.max(...Object.keys(rowsOf(cache, restored)).map(Number))).toBe(common - 1);
        then(restored);
        cache.close(restored);
      }
    };
    for (const length of [1, 40, 64, 65, 128, 129, 200]) {
      for (const longer of [1, 25, 64]) {
        const first = ++last;
        step(cache, [first], length);
        forEachRestored(first, (second) => {
          step(cache, [second], longer);
          forEachRestored(second, () => {});
        });
        cache.close(first);
      }
    }
  },
);

test("with windows, fewer tokens than were kept are restorable if no row has been overwritten", () => {
  const windows = [entry({ window: 66 }), entry({ window: 129 }), entry()];
  const limits = cacheLimits({ caches: windows.flatMap(({ caches }) => caches) });
  expect(restorableTokens(limits, 128, 5)).toBe(5);
  expect(restorableTokens(limits, 129, 128)).toBe(0);
  expect(restorableTokens(limits, 129, 129)).toBe(129);
  expect(restorableTokens(cacheLimits(entry()), 1e6, 5)).toBe(5);
  expect(restorableTokens(cacheLimits(entry({ window: 3, exact: true })), 1e6, 5)).toBe(5);
});

/** Two states without rows, and nothing that grows. */
const recurrentEntry: Entry = {
  inputs: [
    { name: "matrix", type: "float32", dims: [free("batch"), fixed(2), fixed(1)] },
    { name: "window", type: "float32", dims: [free("batch"), fixed(1)] },
  ],
  outputs: [output("new_matrix"), output("new_window")],
  steps: [],
  caches: [],
  recurrent: [
    { past: "matrix", present: "new_matrix" },
    { past: "window", present: "new_window" },
  ],
};

/** A step that adds the sequence's number to every element of its states. */
function recur(cache: NamedCache, sequences: readonly number[], newTokens = 1) {
  const range = cache.arrange(sequences);
  const given = [...cache.named(range)].map(([name, { dims, data }]) => {
    return [name, { dims, data: Float32Array.from(data as Float32Array) }] as const;
  });
  const inputs = new Map(given);
  const next = (name: string) => {
    const { data, dims } = inputs.get(name)!;
    const added = data.slice();
    const perSlot = added.length / range.count;
    for (const sequence of sequences) {
      const row = cache.slotOf(sequence) - range.first;
      for (let at = row * perSlot; at < (row + 1) * perSlot; at++) added[at]! += sequence;
    }
    return new Tensor("float32", added, dims);
  };
  cache.append(sequences, newTokens, range, [next("matrix"), next("window")]);
  return inputs;
}

const stateOf = (cache: NamedCache, sequence: number) => {
  const inputs = cache.named({ first: cache.slotOf(sequence), count: 1, past: 1, source: 0 });
  return [...inputs.values()].flatMap(({ data }) => [...(data as Float32Array)]);
};

test("a recurrent state starts as zero, has a fixed size whatever the sequence's length, and is replaced by each step", () => {
  const cache = new NamedCache(recurrentEntry);
  const first = recur(cache, [7], 100);
  expect(first.get("matrix")).toMatchObject({ dims: [1, 2, 1], data: Float32Array.of(0, 0) });
  expect(first.get("window")).toMatchObject({ dims: [1, 1], data: Float32Array.of(0) });
  expect(stateOf(cache, 7)).toEqual([7, 7, 7]);
  recur(cache, [7]);
  expect(stateOf(cache, 7)).toEqual([14, 14, 14]);
  expect(cache.length(7)).toBe(101);
});

test("recurrent states stay with their sequences when slots move, and a sequence that sits out keeps its own", () => {
  const cache = new NamedCache(recurrentEntry);
  recur(cache, [1, 2, 3]);
  recur(cache, [1, 3]);
  recur(cache, [2]);
  cache.close(1);
  recur(cache, [3, 2]);
  expect(stateOf(cache, 2)).toEqual([6, 6, 6]);
  expect(stateOf(cache, 3)).toEqual([9, 9, 9]);
});

test("a new sequence's recurrent state is zero in a slot that another has used", () => {
  const cache = new NamedCache(recurrentEntry);
  recur(cache, [1, 2, 3]);
  cache.close(2);
  recur(cache, [5]);
  expect(stateOf(cache, 5)).toEqual([5, 5, 5]);
});

test("a recurrent state is restored as its sequence left it, and only after all of the sequence's tokens", () => {
  const cache = new NamedCache(recurrentEntry);
  recur(cache, [7], 10);
  recur(cache, [3], 10);
  cache.keep(7);
  cache.restore(8, 7, 10);
  expect(stateOf(cache, 8)).toEqual([7, 7, 7]);
  expect(cache.length(8)).toBe(10);
  const limits = cacheLimits(recurrentEntry);
  expect([9, 10].map((common) => restorableTokens(limits, 10, common))).toEqual([0, 10]);
  const single = cacheLimits({ caches: [], recurrent: recurrentEntry.recurrent!.slice(1) });
  expect(restorableTokens(single, 10, 9)).toBe(0);
});

test("refuses a state whose size depends on the call", () => {
  const [, ...others] = recurrentEntry.inputs;
  const symbolic = {
    name: "matrix",
    type: "float32" as const,
    dims: [free("batch"), free("rows"), fixed(1)],
  };
  expect(() => new NamedCache({ ...recurrentEntry, inputs: [symbolic, ...others] })).toThrow(
    expect.objectContaining({ code: "RR_POLICY", message: expect.stringContaining('"matrix"') }),
  );
});

/** A cache that grows, and one that is filled once: rows are `1000 · sequence + position`. */
function sourcedEntry(exact = false): Entry {
  const grown = entry();
  return {
    ...grown,
    inputs: [
      ...grown.inputs,
      { name: "source_positions", type: "int64", dims: [free("batch"), free("encoded")] },
      { name: "encoded", type: "float32", dims: [free("batch"), fixed(1), free("encoded"), fixed(1)] },
    ],
    caches: [
      ...grown.caches,
      {
        positions: "source_positions",
        exact,
        filledBy: "encode",
        states: [{ past: "encoded", present: "cross", axis: 2 }],
      },
    ],
  };
}

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

test("nothing is restorable beside a cache that depends on a source", () => {
  expect(restorableTokens(cacheLimits(sourcedEntry()), 3, 3)).toBe(0);
});

test("nothing is restorable if rows depend on the length of their prompt", () => {
  const limits = cacheLimits({ ...entry(), inputs: [{ name: "prompt_lengths" }] });
  expect(restorableTokens(limits, 3, 3)).toBe(0);
});

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

test("sequences of any lengths share a run, unless a cache is exact: then only those of equal length do", () => {
  const [padded, exact] = [new NamedCache(entry()), new NamedCache(entry({ exact: true }))];
  for (const cache of [padded, exact])
    for (const sequence of [1, 2, 3]) step(cache, [sequence], sequence % 2 ? 5 : 7);
  expect(padded.batches([1, 2, 3])).toEqual([[0, 1, 2]]);
  expect(exact.batches([1, 2, 3])).toEqual([[0, 2], [1]]);
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
