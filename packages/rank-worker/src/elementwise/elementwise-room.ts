import type { KernelMemory } from "../kernels/kernel-memory.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import type { Tensor } from "../tensors/tensor.js";
import { valuesOfOneShape } from "./one-shape.js";

/**
 * Where a session writes what it makes element by element of many rows, and the next step reads it: in arrays of the
 * runtime it would be copied twice.
 */
export class ElementwiseRoom {
  readonly #memory: KernelMemory;
  readonly #inputs: readonly number[];
  readonly #outputs: readonly string[];

  /**
   * @param inputs indices into the table
   * @param outputs names of those that do not outlive the run
   */
  constructor(memory: KernelMemory, inputs: readonly number[], outputs: readonly string[]) {
    this.#memory = memory;
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  /**
   * By output, {@link TransientTensor}s; without those that there is no room for, or whose shape is only known then.
   */
  take(table: readonly (Tensor | undefined)[]): Record<string, Tensor> {
    const room: Record<string, Tensor> = {};
    const values = valuesOfOneShape(table, this.#inputs);
    if (values === undefined) return room;
    for (const name of this.#outputs) {
      const taken = TransientTensor.take(this.#memory, values[0].dims);
      if (taken !== undefined) room[name] = taken;
    }
    return room;
  }
}
