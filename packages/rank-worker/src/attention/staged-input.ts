import type { KernelMemory } from "../kernels/kernel-memory.js";
import type { Tensor } from "../tensors/tensor.js";

/**
 * Floats at one place of the table, where the kernel reads them: in its memory, to which those that lie elsewhere are
 * copied once a run, for all layers. What a layer asks for then is a few comparisons, since beside a decode step's
 * weights nothing of the rank's own stays in the processor's caches from one layer to the next.
 */
export class StagedInput {
  readonly #memory: KernelMemory;
  readonly #index: number;
  #room: Float32Array | undefined;
  /** What the address is of: what a product gives is the same tensor run after run. */
  #value: Tensor | undefined;
  /** In which it was copied; undefined where it is read in place. */
  #run: number | undefined;
  #address = 0;
  #length = -1;

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
    const value = table[this.#index];
    const isThere = value === this.#value && (this.#run === undefined || this.#run === run);
    if (!isThere && !this.#take(value, run, length)) return undefined;
    return this.#length === length ? this.#address : undefined;
  }

  #take(value: Tensor | undefined, run: number, length: number): boolean {
    const data = value?.data;
    // Before anything is copied: those of several new rows, which a session attends, may be thousands of times as many.
    if (!(data instanceof Float32Array) || data.length !== length) return false;
    const isInPlace = this.#memory.holds(data);
    const near = isInPlace ? data : this.#copy(data);
    if (near === undefined) return false;
    this.#value = value;
    this.#run = isInPlace ? undefined : run;
    this.#address = near.byteOffset;
    this.#length = length;
    return true;
  }

  #copy(data: Float32Array): Float32Array | undefined {
    if (this.#room === undefined || this.#room.length < data.length) {
      const before = this.#room?.length ?? 0;
      this.#length = -1;
      if (this.#room !== undefined) this.#memory.release(this.#room);
      this.#room = this.#memory.floats(Math.max(data.length, 2 * before));
    }
    this.#room?.set(data);
    return this.#room;
  }
}
