import { elementCount } from "../tensors/element-types.js";
import { Tensor, tensor } from "../tensors/tensor.js";
import type { KernelMemory } from "./kernel-memory.js";

/**
 * A value of many rows on its way from one step to the next, in the kernels' memory. What the system gives anew for
 * each it takes back at once, and clears and maps page by page at the next: a prompt of 512 tokens was 100,000 faults.
 */
export class TransientTensor extends Tensor {
  readonly #memory: KernelMemory;
  #isReleased = false;

  private constructor(memory: KernelMemory, floats: Float32Array, dims: readonly number[]) {
    super("float32", floats, dims);
    this.#memory = memory;
  }

  /** Of any contents; undefined where there is no room. */
  static take(memory: KernelMemory, dims: readonly number[]): TransientTensor | undefined {
    const floats = memory.unclearedFloats(elementCount(dims));
    return floats && new TransientTensor(memory, floats, dims);
  }

  /** Likewise; an ordinary tensor where there is no room. */
  static takeOrMake(memory: KernelMemory | undefined, dims: readonly number[]): Tensor {
    const taken = memory && TransientTensor.take(memory, dims);
    return taken ?? tensor("float32", new Float32Array(elementCount(dims)), dims);
  }

  /** Of those values that are transient. */
  static releaseAll(values: Iterable<Tensor | undefined>): void {
    for (const value of values) if (value instanceof TransientTensor) value.release();
  }

  /** When no step reads it any more. */
  release(): void {
    if (!this.#isReleased) this.#memory.release(this.data as Float32Array);
    this.#isReleased = true;
  }
}
