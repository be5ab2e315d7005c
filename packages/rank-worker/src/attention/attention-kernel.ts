import type { AttentionOverCache } from "@ringrank/policy";
import { runsWideVectors } from "@ringrank/webassembly";
import type { KernelMemory } from "../kernels/kernel-memory.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { RowAttention } from "./row-attention.js";
import { StagedInput } from "./staged-input.js";

/**
 * Attention of one new row over the cache, by one of the rank's own kernels (assembly/attention/attention.ts). It
 * replaces a segment of about 24 operators, whose inputs and outputs cost as much again, and reads the cache once for a
 * whole group of queries. ONNX Runtime has several threads and wider registers, so it keeps the cases with more rows,
 * and most of those with more threads.
 */
export class AttentionKernel {
  readonly kernels: RankKernels;
  readonly #threads: number;
  readonly #isWide: boolean;
  /** By their index in the table, because layers share them. */
  readonly #inputs = new Map<number, StagedInput>();
  #run = 0;

  /**
   * @param threads the threads of a session, which would share the work
   * @param isWide whether the kernel works on as much at once as fits 256-bit registers
   */
  constructor(kernels: RankKernels, threads: number, isWide = runsWideVectors()) {
    this.kernels = kernels;
    this.#threads = threads;
    this.#isWide = isWide;
  }

  get memory(): KernelMemory {
    return this.kernels.memory;
  }

  /** @param indexOf returns the index of a value in the entry's table */
  rowAttention(plan: AttentionOverCache, indexOf: (value: string) => number): RowAttention | undefined {
    // Rows of lanes are read in whole vectors.
    if (plan.lanes % 4 !== 0) return undefined;
    const block = this.memory.floats(RowAttention.blockLength(plan));
    return block && new RowAttention(this, plan, block, indexOf);
  }

  /** Whether this is faster than a session for this many multiplications. */
  pays(products: number): boolean {
    return this.#threads === 1 || products < 2 ** 21;
  }

  attend(args: number): void {
    this.kernels.attend(args, this.#isWide);
  }

  /** The number of this run. Inputs that were staged in an earlier run must be staged again. */
  get run(): number {
    return this.#run;
  }

  beginRun(): void {
    this.#run++;
  }

  /** The input at an index of the table. */
  input(index: number): StagedInput {
    const input = this.#inputs.get(index) ?? new StagedInput(this.memory, index);
    this.#inputs.set(index, input);
    return input;
  }

  /** The address of scratch space for this many floats; undefined if there is no room. */
  scratch(count: number): number | undefined {
    return this.kernels.scratch(count)?.byteOffset;
  }
}
