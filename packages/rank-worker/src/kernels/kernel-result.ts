import { elementCount } from "@ringrank/model/weights";
import { sameSizes, type Tensor, tensor } from "../tensors/tensor.js";
import type { KernelMemory } from "./kernel-memory.js";

/** Floats that kernels process at once: as many as fit into the L2 cache, and enough for the rows of a decode step. */
export const floatsAtOnce = 2 ** 15;

/** A kernel's result, in memory that sessions and other kernels read in place. It is reused from call to call. */
export class KernelResult {
  readonly #memory: KernelMemory;
  #floats: Float32Array | undefined;
  #last: Tensor | undefined;

  constructor(memory: KernelMemory) {
    this.#memory = memory;
  }

  /**
   * A tensor to write to, valid until the next call; undefined if there is no room, or it would have more than `most`
   * floats.
   */
  tensor(dims: readonly number[], most = floatsAtOnce): Tensor | undefined {
    if (this.#last !== undefined && sameSizes(this.#last.dims, dims)) return this.#last;
    const count = elementCount(dims);
    if (count > most) return undefined;
    const floats = this.#roomFor(count);
    this.#last = floats && tensor("float32", floats.subarray(0, count), dims);
    return this.#last;
  }

  /** Whether this is the tensor of the last call. */
  isLast(one: Tensor): boolean {
    return one === this.#last;
  }

  #roomFor(count: number): Float32Array | undefined {
    if (this.#floats !== undefined && this.#floats.length >= count) return this.#floats;
    if (this.#floats !== undefined) this.#memory.release(this.#floats);
    this.#floats = this.#memory.floats(count);
    return this.#floats;
  }
}
