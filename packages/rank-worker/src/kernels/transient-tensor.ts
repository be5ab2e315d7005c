import { elementCount } from "@ringrank/model/weights";
import { Tensor, tensor } from "../tensors/tensor.js";
import type { KernelMemory } from "./kernel-memory.js";

/**
 * A value of many rows between two steps, in the kernels' memory. Newly allocated memory would be returned to the
 * system at once, and cleared and mapped page by page the next time: 100,000 page faults for a prompt of 512 tokens.
 */
export class TransientTensor extends Tensor {
  readonly #memory: KernelMemory;
  #isReleased = false;

  private constructor(memory: KernelMemory, floats: Float32Array, dims: readonly number[]) {
    super("float32", floats, dims);
    this.#memory = memory;
  }

  /** Allocates one with arbitrary contents; undefined if there is no room. */
  static take(memory: KernelMemory, dims: readonly number[]): TransientTensor | undefined {
    const floats = memory.unclearedFloats(elementCount(dims));
    return floats && new TransientTensor(memory, floats, dims);
  }

  /** Does the same, but returns an ordinary tensor if there is no room. */
  static takeOrMake(memory: KernelMemory | undefined, dims: readonly number[]): Tensor {
    const taken = memory && TransientTensor.take(memory, dims);
    return taken ?? tensor("float32", new Float32Array(elementCount(dims)), dims);
  }

  /** Releases the transient ones among these values. */
  static releaseAll(values: readonly (Tensor | undefined)[]): void {
    for (const value of values) if (value instanceof TransientTensor) value.release();
  }

  /** Call this when no step reads it any more. */
  release(): void {
    if (!this.#isReleased) this.#memory.release(this.data as Float32Array);
    this.#isReleased = true;
  }
}
