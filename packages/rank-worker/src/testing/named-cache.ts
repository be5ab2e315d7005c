/** Caches of one number per row, from which tests see whose row is where. */
import type { Entry, LocalValue } from "@ringrank/policy";
import { KvCache, type StepRange } from "../cache/kv-cache.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { byName } from "../tensors/in-order.js";
import { Tensor } from "../tensors/tensor.js";
import { size, symbol } from "./tiny-program.js";

/** A cache whose inputs have names. */
export class NamedCache extends KvCache {
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
export const output = (name: string): LocalValue => ({ name, type: "float32", dims: [] });

/** One head with one lane; `states: 0` is a rank without attention. */
export function cachedEntry(options: { window?: number; exact?: boolean; states?: 0 | 1 } = {}): Entry {
  const { window, exact = false, states = 1 } = options;
  return {
    inputs: [
      { name: "positions", type: "int64", dims: [symbol("batch"), symbol("past")] },
      ...(states === 0
        ? []
        : [
            {
              name: "past",
              type: "float32" as const,
              dims: [symbol("batch"), size(1), symbol("past"), size(1)],
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
export const capacities = (cache: NamedCache) => {
  const inputs = cache.named({ first: 0, count: 1, past: 1, source: 1 });
  return [...inputs].filter(([name]) => name.endsWith("positions")).map(([, { dims }]) => dims[1]);
};

/** A step in which each sequence's new rows are `100 · sequence + position`. */
export function step(cache: NamedCache, sequences: readonly number[], newTokens = 1) {
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
export function rowsOf(cache: NamedCache, sequence: number): Record<number, number> {
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

export const expectedRows = (sequence: number, from: number, to: number) =>
  Object.fromEntries(
    Array.from({ length: to - from }, (_, i): [number, number] => [from + i, 100 * sequence + from + i]),
  );

/** A cache that grows, and one that is filled once: rows are `1000 · sequence + position`. */
export function sourcedEntry(exact = false): Entry {
  const grown = cachedEntry();
  return {
    ...grown,
    inputs: [
      ...grown.inputs,
      { name: "source_positions", type: "int64", dims: [symbol("batch"), symbol("encoded")] },
      { name: "encoded", type: "float32", dims: [symbol("batch"), size(1), symbol("encoded"), size(1)] },
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
