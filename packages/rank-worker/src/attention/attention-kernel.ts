import { readFileSync } from "node:fs";
import type { AttentionOfOneRow } from "@ringrank/policy";
import { KernelMemory, type WasmMemory } from "./kernel-memory.js";
import { RowAttention } from "./row-attention.js";

/** Computes what the block of arguments at this address says; see `row-attention.ts`. */
export type Attend = (args: number) => void;

/**
 * Attention of one new row over the cache, in WebAssembly SIMD (assembly/attention.ts), on memory that sessions see
 * too. It takes the place of a segment of some 24 operators whose inputs and outputs cost as much again, and reads the
 * cache once for a whole group of queries. docs/design-notes.md has what was measured.
 *
 * ONNX Runtime has several threads and wider registers: it keeps what has more rows, and most of what has more threads.
 */
export class AttentionKernel {
  readonly memory: KernelMemory;
  readonly #attend: Attend;
  readonly #threads: number;
  readonly #staged = new Map<number, Staged>();
  #scratch: Float32Array | undefined;
  #run = 0;

  /**
   * @param threads of a session, which would share the work
   * @throws if the engine does not give the memory, or cannot run the kernel
   */
  constructor(threads: number) {
    this.memory = new KernelMemory();
    this.#threads = threads;
    const { exports } = new wasm.Instance(new wasm.Module(readFileSync(url)), {
      env: { memory: this.memory.memory },
    });
    this.#attend = exports.attend;
  }

  /** @param indexOf the place of a value in the table of the entry */
  rowAttention(plan: AttentionOfOneRow, indexOf: (value: string) => number): RowAttention | undefined {
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
    this.#attend(args);
  }

  /** What was staged is of an earlier run from now on. */
  beginRun(): void {
    this.#run++;
  }

  /** The address of room for so many floats, in which nothing is kept; undefined where there is none. */
  scratch(count: number): number | undefined {
    if (this.#scratch === undefined || this.#scratch.length < count) {
      if (this.#scratch !== undefined) this.memory.release(this.#scratch);
      this.#scratch = this.memory.floats(2 * count);
    }
    return this.#scratch?.byteOffset;
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

/** The same from dist/attention/ as from src/attention/, where tests run. */
const url = new URL("../../dist/attention.wasm", import.meta.url);

// Node's own type declarations have no WebAssembly.
const { WebAssembly: wasm } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (
      module: object,
      imports: { readonly env: { readonly memory: WasmMemory } },
    ) => { readonly exports: { readonly attend: Attend } };
  };
};
