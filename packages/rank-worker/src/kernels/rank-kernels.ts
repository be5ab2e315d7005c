import { instantiate } from "@ringrank/webassembly";
import { KernelMemory } from "./kernel-memory.js";

/** What assembly/ exports. Addresses are bytes of {@link RankKernels.memory}. */
interface Exports {
  /** Computes what the block of arguments at this address says; see attention/row-attention.ts. */
  attend(args: number): void;
  add(x: number, y: number, out: number, count: number): void;
  addRow(x: number, row: number, rows: number, width: number): void;
  normalize(
    x: number,
    out: number,
    rows: number,
    width: number,
    scale: number,
    bias: number,
    epsilon: number,
    centered: boolean,
  ): void;
}

/**
 * What a rank computes itself, in WebAssembly SIMD, on memory that sessions see too: where a session's inputs and
 * outputs, and an operator's overhead, cost more than the arithmetic. docs/design-notes.md has what was measured.
 */
export class RankKernels {
  readonly memory: KernelMemory;
  readonly attend: Exports["attend"];
  readonly add: Exports["add"];
  readonly addRow: Exports["addRow"];
  readonly normalize: Exports["normalize"];
  #scratch: Float32Array | undefined;

  /**
   * @param pages of 64 KiB; default: all that there are addresses for
   * @param files of which the first is taken that the engine runs
   * @throws if the engine does not give the memory, or cannot run the kernels
   */
  constructor(pages?: number, files: Files = [kernelFiles.fused, kernelFiles.plain]) {
    this.memory = new KernelMemory(pages);
    const { attend, add, addRow, normalize } = instantiate<Exports>(this.memory.memory, ...files);
    this.attend = attend;
    this.add = add;
    this.addRow = addRow;
    this.normalize = normalize;
  }

  /** Room for so many floats, in which nothing is kept; undefined where there is none. */
  scratch(count: number): Float32Array | undefined {
    if (this.#scratch === undefined || this.#scratch.length < count) {
      if (this.#scratch !== undefined) this.memory.release(this.#scratch);
      this.#scratch = this.memory.floats(Math.max(count, 2 * (this.#scratch?.length ?? 0)));
    }
    return this.#scratch;
  }
}

/**
 * Two builds of the same sources: `fused` multiplies and adds in one instruction, which not every engine has. All ranks
 * are threads of one engine, so that they compute alike. The same from dist/bundle/ as from src/kernels/, where tests
 * run.
 */
export const kernelFiles = {
  fused: new URL("../../dist/kernels-fused.wasm", import.meta.url),
  plain: new URL("../../dist/kernels.wasm", import.meta.url),
} as const;

type Files = readonly [URL, ...URL[]];
