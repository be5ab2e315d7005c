import type { AttentionOverCache } from "@ringrank/policy";
import type { KernelMemory } from "../kernels/kernel-memory.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { RowAttention } from "./row-attention.js";

/**
 * Attention of one new row over the cache, by a kernel of the rank's own (assembly/attention.ts). It takes the place of
 * a segment of some 24 operators whose inputs and outputs cost as much again, and reads the cache once for a whole
 * group of queries.
 *
 * ONNX Runtime has several threads and wider registers: it keeps what has more rows, and most of what has more threads.
 */
export class AttentionKernel {
  readonly #kernels: RankKernels;
  readonly #threads: number;
  readonly #staged = new Map<number, Staged>();
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

  /** What was staged is of an earlier run from now on. */
  beginRun(): void {
    this.#run++;
  }

  /** The address of room for so many floats, in which nothing is kept; undefined where there is none. */
  scratch(count: number): number | undefined {
    return this.#kernels.scratch(count)?.byteOffset;
  }

  /**
   * The address of a tensor's elements in this memory, where they are copied once a run.
   *
   * @param index the tensor's place in the table
   * @returns undefined where there is no room
   */
  stage(index: number, source: Float32Array): number | undefined {
    if (this.memory.holds(source)) return source.byteOffset;
    let staged = this.#staged.get(index);
    if (staged === undefined || staged.floats.length < source.length) {
      if (staged !== undefined) this.memory.release(staged.floats);
      const floats = this.memory.floats(Math.max(source.length, 2 * (staged?.floats.length ?? 0)));
      if (floats === undefined) return undefined;
      staged = { floats, run: -1 };
      this.#staged.set(index, staged);
    }
    if (staged.run !== this.#run) staged.floats.set(source);
    staged.run = this.#run;
    return staged.floats.byteOffset;
  }
}

interface Staged {
  readonly floats: Float32Array;
  /** In which it was filled. */
  run: number;
}
