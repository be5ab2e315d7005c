import type { KernelMemory } from "../kernels/kernel-memory.js";
import type { Table } from "../tensors/table.js";
import type { Tensor } from "../tensors/tensor.js";

/**
 * The floats at one index of the table, in the kernel's memory. Floats elsewhere are copied there once per run, for all
 * layers. A layer then only makes a few comparisons, because next to a decode step's weights, none of the rank's own
 * data stays in the processor's caches from one layer to the next.
 */
export class StagedInput {
  readonly #memory: KernelMemory;
  readonly #index: number;
  #room: Float32Array | undefined;
  /** The tensor at that address. A product returns the same tensor in every run. */
  #value: Tensor | undefined;
  /** The run in which it was copied; undefined if it is read in place. */
  #run: number | undefined;
  #address = 0;
  #length = -1;

  /** @param index the index in the table */
  constructor(memory: KernelMemory, index: number) {
    this.#memory = memory;
    this.#index = index;
  }

  dims(table: Readonly<Table>): readonly number[] | undefined {
    return table[this.#index]?.dims;
  }

  /** The address of the floats; undefined if their number differs, or if there is no room. */
  address(table: Readonly<Table>, run: number, length: number): number | undefined {
    const value = table[this.#index];
    const isThere = value === this.#value && (this.#run === undefined || this.#run === run);
    if (!isThere && !this.#take(value, run, length)) return undefined;
    return this.#length === length ? this.#address : undefined;
  }

  #take(value: Tensor | undefined, run: number, length: number): boolean {
    const data = value?.data;
    // Checked before anything is copied: the floats of several new rows, whose attention a session computes, may be
    // thousands of times as many.
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
