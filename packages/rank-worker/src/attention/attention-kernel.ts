import type { AttentionOverCache } from "@ringrank/policy";
import type { KernelMemory } from "../kernels/kernel-memory.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { RowAttention } from "./row-attention.js";
import { StagedInput } from "./staged-input.js";

/**
 * Attention of one new row over the cache, by a kernel of the rank's own (assembly/attention/attention.ts). It takes
 * the place of a segment of some 24 operators whose inputs and outputs cost as much again, and reads the cache once for
 * a whole group of queries.
 *
 * ONNX Runtime has several threads and wider registers: it keeps what has more rows, and most of what has more threads.
 */
export class AttentionKernel {
  readonly #kernels: RankKernels;
  readonly #threads: number;
  /** By their place in the table: layers share them. */
  readonly #inputs = new Map<number, StagedInput>();
  #run = 0;

  /** @param threads of a session, which would share the work */
  constructor(kernels: RankKernels, threads: number) {
    this.#kernels = kernels;
    this.#threads = threads;
  }

  get memory(): KernelMemory {
    return this.#kernels.memory;
  }

  /** @param indexOf the place of a value in the table of the entry */
  rowAttention(plan: AttentionOverCache, indexOf: (value: string) => number): RowAttention | undefined {
    // A row of lanes is read in whole vectors.
    if (plan.lanes % 4 !== 0) return undefined;
    const block = this.memory.floats(RowAttention.blockLength(plan));
    return block && new RowAttention(this, plan, block, indexOf);
  }

  /** Whether this is faster than a session, for so many products of two numbers. */
  pays(products: number): boolean {
    return this.#threads === 1 || products < 2 ** 21;
  }

  attend(args: number): void {
    this.#kernels.attend(args);
  }

  /** Which run this is: what was staged in an earlier one is staged anew. */
  get run(): number {
    return this.#run;
  }

  beginRun(): void {
    this.#run++;
  }

  /** What is read at a place of the table. */
  input(index: number): StagedInput {
    const input = this.#inputs.get(index) ?? new StagedInput(this.memory, index);
    this.#inputs.set(index, input);
    return input;
  }

  /** The address of room for so many floats, in which nothing is kept; undefined where there is none. */
  scratch(count: number): number | undefined {
    return this.#kernels.scratch(count)?.byteOffset;
  }
}
