import type { Entry } from "@ringrank/policy";
import { expect, test } from "vitest";
import { Tensor } from "../tensors/tensor.js";
import { NamedCache, output } from "../testing/named-cache.js";
import { size, symbol } from "../testing/tiny-program.js";
import { cacheLimits, restorableTokens } from "./restorable.js";

/** Two states without rows, and nothing that grows. */
const recurrentEntry: Entry = {
  inputs: [
    { name: "matrix", type: "float32", dims: [symbol("batch"), size(2), size(1)] },
    { name: "window", type: "float32", dims: [symbol("batch"), size(1)] },
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
    dims: [symbol("batch"), symbol("rows"), size(1)],
  };
  expect(() => new NamedCache({ ...recurrentEntry, inputs: [symbolic, ...others] })).toThrow(
    expect.objectContaining({ code: "RR_POLICY", message: expect.stringContaining('"matrix"') }),
  );
});
