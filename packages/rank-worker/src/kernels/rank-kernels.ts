import { instantiate, runsWideVectors } from "@ringrank/webassembly";
import type { KernelCall } from "./kernel-call.js";
import type { KernelExports, ProductKernels } from "./kernel-exports.js";
import { KernelMemory } from "./kernel-memory.js";

/**
 * The work that a rank does itself, in WebAssembly SIMD, on memory that sessions can access too: work for which a
 * session's inputs and outputs, and an operator's overhead, would cost more than the arithmetic.
 * docs/design/what-a-rank-computes.md has the measurements.
 */
export class RankKernels {
  readonly memory: KernelMemory;
  readonly attend: KernelExports["attend"];
  readonly makeCalls: KernelExports["makeCalls"];
  readonly addRow: KernelExports["addRow"];
  readonly appendRows: KernelExports["appendRows"];
  readonly copyHeads: KernelExports["copyHeads"];
  readonly rotateHeads: KernelExports["rotateHeads"];
  readonly elementwiseRows: KernelExports["elementwiseRows"];
  readonly spaceRows: KernelExports["spaceRows"];
  readonly widenRows: KernelExports["widenRows"];
  readonly transposeProducts: KernelExports["transposeProducts"];
  readonly beginMatrix: KernelExports["beginMatrix"];
  readonly streamsOf: KernelExports["streamsOf"];
  readonly rowsOfEach: KernelExports["rowsOfEach"];
  readonly oneRowsOfEach: KernelExports["oneRowsOfEach"];
  readonly scaleBytesOf: KernelExports["scaleBytesOf"];
  readonly streamScales: KernelExports["streamScales"];
  readonly groupActivations: KernelExports["groupActivations"];
  readonly beginSums: KernelExports["beginSums"];
  readonly addSums: KernelExports["addSums"];
  readonly skipSmall: KernelExports["skipSmall"];
  readonly skipUnlikely: KernelExports["skipUnlikely"];
  readonly largest: KernelExports["largest"];
  readonly sumExponentials: KernelExports["sumExponentials"];
  /** Whether the engine multiplies several quantized rows faster if they are kept apart. */
  readonly keepsRowsApart = runsWideVectors();
  /** By the bits of a weight. */
  readonly products: Readonly<Record<4 | 8, ProductKernels>>;
  readonly #exports: KernelExports;
  #scratch: Float32Array | undefined;

  /**
   * @param pages number of pages of 64 KiB; default: as many as there are addresses for
   * @param files the first one that the engine can run is used
   * @throws if the engine does not provide the memory, or cannot run the kernels
   */
  constructor(pages?: number, files: Files = [kernelFiles.fused, kernelFiles.plain]) {
    this.memory = new KernelMemory(pages);
    const exports = instantiate<KernelExports>(this.memory.memory, ...files);
    this.#exports = exports;
    this.attend = exports.attend;
    this.makeCalls = exports.makeCalls;
    this.addRow = exports.addRow;
    this.appendRows = exports.appendRows;
    this.copyHeads = exports.copyHeads;
    this.rotateHeads = exports.rotateHeads;
    this.elementwiseRows = exports.elementwiseRows;
    this.spaceRows = exports.spaceRows;
    this.widenRows = exports.widenRows;
    this.transposeProducts = exports.transposeProducts;
    this.beginMatrix = exports.beginMatrix;
    this.streamsOf = exports.streamsOf;
    this.rowsOfEach = exports.rowsOfEach;
    this.oneRowsOfEach = exports.oneRowsOfEach;
    this.scaleBytesOf = exports.scaleBytesOf;
    this.streamScales = exports.streamScales;
    this.groupActivations = exports.groupActivations;
    this.beginSums = exports.beginSums;
    this.addSums = exports.addSums;
    this.skipSmall = exports.skipSmall;
    this.skipUnlikely = exports.skipUnlikely;
    this.largest = exports.largest;
    this.sumExponentials = exports.sumExponentials;
    this.products = {
      4: { blockBytes: 64, roomBytes: roomFor(144), groupWeights: exports.groupWeights4 },
      8: { blockBytes: 96, roomBytes: roomFor(272), groupWeights: exports.groupWeights8 },
    };
  }

  make({ kernel, args }: KernelCall): void {
    (this.#exports[kernel] as (...args: KernelCall["args"]) => void)(...args);
  }

  /**
   * Scratch space for this many floats; undefined if there is no room. It may be used across the sessions of a step,
   * because a rank runs one step at a time.
   */
  scratch(count: number): Float32Array | undefined {
    if (this.#scratch === undefined || this.#scratch.length < count) {
      if (this.#scratch !== undefined) this.memory.release(this.#scratch);
      // Not cleared: untouched pages only take address space.
      this.#scratch = this.memory.unclearedFloats(count);
    }
    return this.#scratch;
  }
}

/**
 * For several-rows.ts, 64 blocks of four unpacked rows of a matrix; for eight-rows.ts, the sums of eight rows with eight,
 * and the scales of eight. What eight-rows.ts reads behind its rows is in there, too.
 */
const roomFor = (unpackedBytes: number) => (blocks: number) =>
  Math.max(64 * unpackedBytes, 32 * (8 + blocks));

/**
 * Two builds of the same sources: `fused` multiplies and adds in one instruction, which not every engine supports. All
 * ranks are threads of one engine, so they compute alike. The paths are the same from dist/bundle/ as from
 * src/kernels/, where tests run. They are only resolved when they are needed: a module that a bundler has converted to
 * CommonJS has no address of its own, and importing it should not fail with an invalid URL.
 */
export const kernelFiles = {
  get fused(): URL {
    return new URL("../../dist/kernels-fused.wasm", import.meta.url);
  },
  get plain(): URL {
    return new URL("../../dist/kernels.wasm", import.meta.url);
  },
} as const;

type Files = readonly [URL, ...URL[]];
