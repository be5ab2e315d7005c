import { allocate } from "@ringrank/model/weights";
import type { Entry, RankProgram, Step, ValueShard } from "@ringrank/policy";
import { EmulatedRank, evaluate, type ReadShard, type Symbols, type Table } from "./emulated-rank.js";
import { EmulatedSessions } from "./emulated-sessions.js";
import { type EmulatedTensor, zeros } from "./emulated-tensor.js";

/**
 * Runs the programs of all ranks in turn on one thread, step by step, with a plain sum in place of an all-reduce. There
 * are no threads and no shared memory, so whatever fails here is a fault of the policy.
 */
export class EmulatedGroup {
  readonly #ranks: readonly EmulatedRank[];
  /** By rank: the caches that one entry has filled for another, under the names by which it reads them. */
  readonly #filled: readonly Table[];

  readonly #sessions: EmulatedSessions;

  private constructor(ranks: readonly EmulatedRank[], sessions: EmulatedSessions) {
    this.#ranks = ranks;
    this.#sessions = sessions;
    this.#filled = ranks.map(() => new Map());
  }

  static async open(programs: readonly RankProgram[], read: ReadShard): Promise<EmulatedGroup> {
    const sessions = new EmulatedSessions();
    const ranks: EmulatedRank[] = [];
    for (const program of programs) ranks.push(await EmulatedRank.open(program, read, sessions));
    return new EmulatedGroup(ranks, sessions);
  }

  /**
   * Returns whole outputs by name, assembled from the ranks that hold their shares. Caches must be empty and states
   * zero, except for those that another entry fills: each rank reads what that entry last wrote there.
   *
   * @param wanted `caches`, or the name of an output: every rank skips the steps after the last one that computes these
   */
  async run(
    entry: string,
    inputs: Readonly<Record<string, EmulatedTensor>>,
    wanted: "all" | "caches" | { readonly output: string } = "all",
  ): Promise<Record<string, EmulatedTensor>> {
    const entries = this.#ranks.map(({ program }) => {
      const whole = program.entries[entry]!;
      if (wanted === "all") return whole;
      const count = wanted === "caches" ? whole.cacheSteps : whole.outputSteps?.[wanted.output];
      return { ...whole, steps: whole.steps.slice(0, count) };
    });
    const symbols = bindSymbols(entries[0]!, inputs);
    const tables = entries.map(({ inputs: wanted, recurrent = [] }, rank) => {
      const table = new Map(this.#filled[rank]);
      for (const { name, dims } of wanted) {
        const whole = inputs[name];
        if (whole === undefined) continue;
        const sizes = dims.map((size) => evaluate(size, symbols));
        const isKept = sizes.includes(0) || recurrent.some(({ past }) => past === name);
        table.set(name, isKept ? zeros(whole.type, sizes) : whole);
      }
      return table;
    });
    const at = entries.map(() => 0);
    for (;;) {
      for (const [rank, { steps }] of entries.entries()) {
        while (at[rank]! < steps.length && !isCollective(steps[at[rank]!]!)) {
          await this.#ranks[rank]!.run(steps[at[rank]!++]!, tables[rank]!, symbols);
        }
      }
      const pending = entries.map(({ steps }, rank) => steps[at[rank]!++]);
      if (pending.every((step) => step === undefined)) break;
      this.#meet(pending, tables);
    }
    this.#keep(entry, tables);
    return this.#collect(entries, tables);
  }

  /** @param steps the collective that each rank calls */
  #meet(steps: readonly (Step | undefined)[], tables: readonly Table[]): void {
    const [step] = steps;
    const parts = steps.map((mine, rank) => tables[rank]!.get(broughtBy(mine))!);
    if (step?.kind === "allReduce") {
      reduceOver(parts, step.operation === "max" ? Math.max : (a, b) => a + b);
      for (const [rank, mine] of steps.entries())
        if (mine?.kind === "allReduce") this.#ranks[rank]!.add(parts[rank]!, mine.added, tables[rank]!);
    } else if (step?.kind === "allGather") {
      const whole = joinShards(parts, step.shard);
      for (const table of tables) table.set(step.output, whole);
    }
  }

  #keep(entry: string, tables: readonly Table[]): void {
    const caches = Object.values(this.#ranks[0]!.program.entries).flatMap(({ caches }) => caches);
    const filled = caches.filter(({ filledBy }) => filledBy === entry).flatMap(({ states }) => states);
    for (const [rank, table] of tables.entries()) {
      for (const { past, present } of filled) {
        const value = table.get(present);
        if (value !== undefined) this.#filled[rank]!.set(past, value);
      }
    }
  }

  #collect(entries: readonly Entry[], tables: readonly Table[]): Record<string, EmulatedTensor> {
    const whole: Record<string, EmulatedTensor> = {};
    for (const { name, shard } of entries[0]!.outputs) {
      const parts = tables.map((table) => table.get(name));
      if (parts.every((part) => part === undefined)) continue;
      whole[name] = shard === undefined ? parts[0]! : joinShards(parts, shard);
    }
    return whole;
  }

  async close(): Promise<void> {
    for (const rank of this.#ranks) await rank.close();
    await this.#sessions.close();
  }
}

function bindSymbols(entry: Entry, inputs: Readonly<Record<string, EmulatedTensor>>): Symbols {
  const symbols = new Map<string, number>();
  for (const { name, dims } of entry.inputs) {
    dims.forEach(({ scale, symbols: [symbol, ...others] }, axis) => {
      if (scale === 1 && symbol !== undefined && others.length === 0)
        if (inputs[name] !== undefined) symbols.set(symbol, inputs[name].dims[axis]!);
    });
  }
  return symbols;
}

function isCollective({ kind }: Step): boolean {
  return kind === "allReduce" || kind === "allGather";
}

/** Describes a rank's contribution to a collective. */
function broughtBy(step: Step | undefined): string {
  if (step?.kind === "allReduce" || step?.kind === "allGather") return step.value;
  throw new TypeError("every rank meets the same collectives");
}

function reduceOver(values: readonly EmulatedTensor[], combine: (a: number, b: number) => number): void {
  const [first, ...others] = values.map(({ data }) => {
    if (data instanceof Float32Array || data instanceof Int32Array) return data;
    throw new TypeError("expected float32 or int32 to be reduced over ranks");
  });
  for (const other of others) {
    for (let i = 0; i < first!.length; i++) first![i] = combine(first![i]!, other[i]!);
  }
  for (const other of others) other.set(first!);
}

/** The products of the sizes before one axis and after it. */
function around(dims: readonly number[], axis: number): { outer: number; inner: number } {
  const product = (sizes: readonly number[]): number => sizes.reduce((count, size) => count * size, 1);
  return { outer: product(dims.slice(0, axis)), inner: product(dims.slice(axis + 1)) };
}

function joinShards(
  parts: readonly (EmulatedTensor | undefined)[],
  { axis, size, intervals }: ValueShard,
): EmulatedTensor {
  const first = parts.find((part) => part !== undefined)!;
  const { outer, inner } = around(first.dims, axis);
  const data = allocate(first.type, outer * size * inner) as Float32Array;
  parts.forEach((part, rank) => {
    if (part === undefined) return;
    const indices = intervals[rank]!.flatMap(([start, end]) =>
      Array.from({ length: end - start }, (_, i) => start + i),
    );
    for (let o = 0; o < outer; o++) {
      indices.forEach((index, i) => {
        const from = (o * indices.length + i) * inner;
        data.set((part.data as Float32Array).subarray(from, from + inner), (o * size + index) * inner);
      });
    }
  });
  return { ...first, dims: first.dims.with(axis, size), data };
}
