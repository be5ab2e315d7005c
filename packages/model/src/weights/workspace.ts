import { localMemory } from "@ringrank/webassembly";
import { quantizationBlock } from "../graph/graph.js";
import type { KernelChoice, Kernels } from "./kernels/kernels.js";
import { plainKernels } from "./kernels/plain-kernels.js";
import { reservedBytes, simdKernels } from "./kernels/simd-kernels.js";

/** A part of a workspace: its start and its length, in bytes. */
export interface Region {
  readonly address: number;
  readonly bytes: number;
}

/** float32 elements that are processed at a time: few enough to stay in a core's own cache. */
export const tileElements = 128 * 1024;

/**
 * The memory in which a reader's weights are converted, and the kernels that work in it. Pages that are never touched
 * cost nothing.
 */
export class Workspace {
  readonly buffer: ArrayBuffer;
  readonly kernels: Kernels;
  /** Bytes as they come from a file. */
  readonly stored: Region;
  /** float32, as read. */
  readonly tile: Region;
  /** float32, transposed. */
  readonly turned: Region;
  /** The most bytes of a quantized tile. */
  readonly values: Region;
  readonly scales: Region;

  constructor(storedBytes: number, choice: KernelChoice) {
    let end = reservedBytes;
    const region = (bytes: number): Region => {
      const address = end;
      // Regions start on cache lines.
      end += Math.ceil(bytes / 64) * 64;
      return { address, bytes };
    };
    this.stored = region(storedBytes);
    this.tile = region(tileElements * 4);
    this.turned = region(tileElements * 4);
    // Partial blocks count as whole ones, and those have at most a byte an element.
    this.values = region(tileElements);
    this.scales = region((tileElements / quantizationBlock) * 4);
    const memory = localMemory(end);
    this.buffer = memory.buffer;
    this.kernels = choice === "simd" ? simdKernels(memory) : plainKernels(memory.buffer);
  }
}
