import { RingrankError } from "@ringrank/errors";
import type { Entry } from "@ringrank/policy";
import type { RankKernels } from "../kernels/rank-kernels.js";
import type { InOrder } from "../tensors/in-order.js";
import type { Tensor } from "../tensors/tensor.js";
import { CacheGroup } from "./cache-group.js";
import { RecurrentStates } from "./recurrent-states.js";
import { swapsToNeighbours } from "./slot-arrangement.js";

/** Adjacent slots `[first, first + count)` that one step computes as a batch. */
export interface StepRange {
  readonly first: number;
  readonly count: number;
  /**
   * Rows of the longest past. If it is 0, the step runs without the empty rows of a block. In an exact cache, every
   * slot has this many rows.
   */
  readonly past: number;
  /** Rows of the longest source. */
  readonly source: number;
}

/** A copy of what a sequence has, outside the slots. */
interface CopiedSequence {
  readonly length: number;
  /** By growing group. */
  readonly rows: readonly (readonly Uint8Array[])[];
  readonly states: readonly Uint8Array[];
}

/**
 * The KV cache of every sequence of this rank. Some of its groups grow with every step. Others, for a decoder's
 * cross-attention, are filled once with rows of the sequence's source, and are as long as the longest source. Recurrent
 * states have a fixed size and are replaced in every step.
 *
 * Sequences are in slots `0 … n − 1` without gaps: closing one moves the last one into its place. A step computes
 * adjacent slots, which form a tensor without a copy. A sequence that sits out a step because its reader is slow is
 * moved to the edge by swapping slots:
 *
 * ```
 *  slots     0   1   2   3   4                      0   1   2   3   4
 *            ●   ◦   ●   ●   ●    swap 0 and 1      ◦   ●   ●   ●   ●    step over [1, 5)
 * ```
 *
 * The alternative is to compute it as a dummy row, which in each step costs about as much as the swap costs once, since
 * either goes through all rows of the sequence. A sequence that comes back and leaves again is already at the edge.
 *
 * What an ended sequence leaves for later ones is copied out of the slots, so that it takes no more room than its own
 * rows, and costs running sequences nothing.
 */
export class KvCache {
  /** Number of the entry's inputs. */
  readonly #inputs: number;
  readonly #growing: readonly CacheGroup[];
  readonly #filled: readonly CacheGroup[];
  readonly #recurrent: RecurrentStates;
  /** By slot. */
  readonly #sequences: number[] = [];
  readonly #lengths = new Map<number, number>();
  /** By sequence: the number of its source tokens. */
  readonly #sources = new Map<number, number>();
  readonly #kept = new Map<number, CopiedSequence>();
  #allocatedSlots = 0;

  /**
   * @param filling the entry whose outputs fill those caches that `entry` does not append to
   * @param kernels have the rows of caches in their memory; undefined if no kernel reads them
   */
  constructor(entry: Entry, filling?: Entry, kernels?: RankKernels) {
    const [growing, filled]: [CacheGroup[], CacheGroup[]] = [[], []];
    for (const cache of entry.caches) {
      const isFilled = cache.filledBy !== undefined;
      const outputs = isFilled ? (filling?.outputs ?? []) : entry.outputs;
      const group = new CacheGroup(cache, { inputs: entry.inputs, outputs }, kernels);
      (isFilled ? filled : growing).push(group);
    }
    this.#inputs = entry.inputs.length;
    this.#growing = growing;
    this.#filled = filled;
    this.#recurrent = new RecurrentStates(entry);
  }

  /** Number of tokens that the sequence has had so far. */
  length(sequence: number): number {
    return this.#lengths.get(sequence) ?? 0;
  }

  slotOf(sequence: number): number {
    const slot = this.#sequences.indexOf(sequence);
    if (slot === -1) throw new RingrankError("RR_INPUT", `expected an open sequence, got ${sequence}`);
    return slot;
  }

  get slots(): number {
    return this.#sequences.length;
  }

  /** Ends a sequence, but keeps what {@link restore} needs until it is closed. */
  keep(sequence: number): void {
    const copy = this.#copyOf(sequence);
    this.close(sequence);
    this.#kept.set(sequence, copy);
  }

  /**
   * Opens a sequence with the first `count` tokens of a kept or open one. `restorableTokens` says which counts are
   * possible.
   *
   * @throws RR_INPUT if the other one is neither
   */
  restore(sequence: number, from: number, count: number): void {
    const copy = this.#kept.get(from) ?? this.#copyOf(from);
    this.#open(sequence);
    this.#lengths.set(sequence, count);
    this.#allocate(this.#allocatedSlots);
    const slot = this.slotOf(sequence);
    for (const [at, group] of this.#growing.entries()) group.put(slot, copy.rows[at]!, copy.length, count);
    this.#recurrent.put(slot, copy.states);
  }

  /** Releases what an open or kept sequence has. */
  close(sequence: number): void {
    this.#kept.delete(sequence);
    const slot = this.#sequences.indexOf(sequence);
    if (slot === -1) return;
    this.#lengths.delete(sequence);
    this.#sources.delete(sequence);
    const moved = this.#sequences.pop()!;
    const last = this.#sequences.length;
    for (const group of this.#groups) {
      if (slot !== last) group.copySlot(last, slot);
      group.clear(last);
    }
    if (slot !== last) this.#sequences[slot] = moved;
    if (last <= this.#allocatedSlots / 2) this.#allocate(last);
  }

  /** Fills the caches that depend on a sequence's source, from `outputs`, in which the source is a batch of one. */
  fill(sequence: number, sourceTokens: number, outputs: InOrder): void {
    this.#open(sequence);
    this.#sources.set(sequence, sourceTokens);
    this.#allocate(this.#allocatedSlots);
    const slot = this.slotOf(sequence);
    for (const group of this.#filled) group.append(slot, 0, sourceTokens, outputs, 0);
  }

  /**
   * Opens unknown sequences, and makes the slots of these sequences adjacent.
   *
   * @throws RR_INPUT if a sequence needs a source and has none
   */
  arrange(sequences: readonly number[]): StepRange {
    for (const sequence of sequences) {
      this.#open(sequence);
      if (this.#filled.length === 0 || this.#sources.has(sequence)) continue;
      throw new RingrankError("RR_INPUT", `expected sequence ${sequence} to be encoded before its first row`);
    }
    const slots = Array.from(sequences, (sequence) => this.slotOf(sequence));
    for (const [from, to] of swapsToNeighbours(slots, this.slots)) this.#swap(from, to);
    return {
      first: Math.min(...sequences.map((sequence) => this.slotOf(sequence))),
      count: sequences.length,
      past: this.#longest(sequences),
      source: Math.max(0, ...sequences.map((sequence) => this.#sources.get(sequence) ?? 0)),
    };
  }

  /**
   * Divides sequences into batches for runs of the graph, by their indices: one batch with all of them, or, for exact
   * caches, one batch per length.
   */
  batches(sequences: readonly number[]): readonly (readonly number[])[] {
    const isExact = (groups: readonly CacheGroup[]): boolean => groups.some(({ exact }) => exact);
    const [own, source] = [isExact(this.#growing), isExact(this.#filled)];
    if (!own && !source) return [[...sequences.keys()]];
    const byLengths = new Map<string, number[]>();
    sequences.forEach((sequence, index) => {
      const key = `${own ? this.length(sequence) : ""}/${source ? this.#sources.get(sequence) : ""}`;
      const batch = byLengths.get(key);
      if (batch === undefined) byLengths.set(key, [index]);
      else batch.push(index);
    });
    return [...byLengths.values()];
  }

  /**
   * The inputs of a step over `range`, of which only those from the cache are there, including states. They are used in
   * place, unless a cache is exact and has room for more rows.
   */
  inputs({ first, count, past, source }: StepRange): (Tensor | undefined)[] {
    const inputs = new Array<Tensor | undefined>(this.#inputs).fill(undefined);
    for (const group of this.#growing) group.addInputs(inputs, first, count, past);
    for (const group of this.#filled) group.addInputs(inputs, first, count, source);
    this.#recurrent.addInputs(inputs, first, count);
    return inputs;
  }

  /** Appends the new rows, and takes the new states, that a step over `range` returned for these sequences. */
  append(sequences: readonly number[], newTokens: number, range: StepRange, outputs: InOrder): void {
    this.#allocate(this.#allocatedSlots, Math.max(this.#longest(), this.#longest(sequences) + newTokens));
    for (const sequence of sequences) {
      const slot = this.slotOf(sequence);
      const length = this.length(sequence);
      for (const group of this.#growing) group.append(slot, length, newTokens, outputs, slot - range.first);
      this.#recurrent.replace(slot, outputs, slot - range.first);
      this.#lengths.set(sequence, length + newTokens);
    }
  }

  #copyOf(sequence: number): CopiedSequence {
    const slot = this.slotOf(sequence);
    const length = this.length(sequence);
    const rows = this.#growing.map((group) => group.take(slot, length));
    return { length, rows, states: this.#recurrent.take(slot) };
  }

  #open(sequence: number): void {
    if (this.#lengths.has(sequence)) return;
    this.#lengths.set(sequence, 0);
    this.#sequences.push(sequence);
    // Doubles the number, so that opening n sequences one after the other copies each slot at most twice.
    if (this.slots > this.#allocatedSlots) this.#allocate(2 ** Math.ceil(Math.log2(this.slots)));
  }

  #swap(from: number, to: number): void {
    for (const group of this.#groups) group.swapSlots(from, to);
    const moved = this.#sequences[from]!;
    this.#sequences[from] = this.#sequences[to]!;
    this.#sequences[to] = moved;
  }

  #allocate(slots: number, longest = this.#longest()): void {
    this.#allocatedSlots = slots;
    const longestSource = Math.max(0, ...this.#sources.values());
    for (const group of this.#growing) group.resize(slots, longest);
    for (const group of this.#filled) group.resize(slots, longestSource);
    this.#recurrent.resize(slots);
  }

  get #groups(): readonly (CacheGroup | RecurrentStates)[] {
    return [...this.#growing, ...this.#filled, this.#recurrent];
  }

  #longest(sequences: readonly number[] = this.#sequences): number {
    return sequences.reduce((longest, sequence) => Math.max(longest, this.length(sequence)), 0);
  }
}
