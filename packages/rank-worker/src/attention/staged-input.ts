import type { KernelMemory } from "../kernels/kernel-memory.js";
import type { Tensor } from "../tensors/tensor.js";

/**
 * Floats at one place of the table, where the kernel reads them: in its memory, to which they are copied once a run, for
 * all layers. What a layer asks for then is two comparisons, since beside a decode step's weights nothing of the rank's
 * own stays in the processor's caches from one layer to the next.
 */
export class StagedInput {
  readonly #memory: KernelMemory;
  readonly #index: number;
  #room: Float32Array | undefined;
  /** Of the run in which it was filled. */
  #run = -1;
  #address = 0;
  #length = 0;

  /** @param index the place in the table */
  constructor(memory: KernelMemory, index: number) {
    this.#memory = memory;
    this.#index = index;
  }

  dims(table: readonly (Tensor | undefined)[]): readonly number[] | undefined {
    return table[this.#index]?.dims;
  }

  /** Their address; undefined where there are not so many floats, or no room. */
  address(table: readonly (Tensor | undefined)[], run: number, length: number): number | undefined {
    if (this.#run !== run && !this.#take(table[this.#index]?.data, run, length)) return undefined;
    return this.#length === length ? this.#address : undefined;
  }

  #take(data: Tensor["data"] | undefined, run: number, length: number): boolean {
    // Before anything is copied: those of several new rows, which a session attends, may be thousands of times as many.
    if (!(data instanceof Float32Array) || data.length !== length) return false;
    const near = this.#memory.holds(data) ? data : this.#copy(data);
    if (near === undefined) return false;
    this.#address = near.byteOffset;
    this.#length = data.length;
    this.#run = run;
    return true;
  }

  #copy(data: Float32Array): Float32Array | undefined {
    if (this.#room === undefined || this.#room.length < data.length) {
      const before = this.#room?.length ?? 0;
      if (this.#room !== undefined) this.#memory.release(this.#room);
      this.#room = this.#memory.floats(Math.max(data.length, 2 * before));
    }
    this.#room?.set(data);
    return this.#room;
  }
}
