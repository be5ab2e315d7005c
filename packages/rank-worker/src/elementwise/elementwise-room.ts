import type { KernelMemory } from "../kernels/kernel-memory.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import type { Table } from "../tensors/table.js";
import type { Tensor } from "../tensors/tensor.js";
import { valuesOfOneShape } from "./one-shape.js";

/**
 * Memory in which a session writes elementwise results of many rows, and from which the next step reads them. In the
 * runtime's own arrays, they would be copied twice.
 */
export class ElementwiseRoom {
  readonly #memory: KernelMemory;
  readonly #inputs: readonly number[];
  readonly #outputs: readonly string[];

  /**
   * @param inputs indices into the table
   * @param outputs names of the outputs
   */
  constructor(memory: KernelMemory, inputs: readonly number[], outputs: readonly string[]) {
    this.#memory = memory;
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  /** {@link TransientTensor}s by output, without those for which there is no room, or whose shape is not known yet. */
  take(table: Readonly<Table>): Record<string, Tensor> {
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
