import type { RankKernels } from "../kernels/rank-kernels.js";
import type { InOrder } from "../tensors/in-order.js";
import type { Tensor } from "../tensors/tensor.js";
import type { StateBuffer } from "./state-buffer.js";

interface AppendedState {
  /** The place of its new rows among the outputs of an entry. */
  readonly output: number;
  readonly buffer: StateBuffer;
}

/**
 * Appends a sequence's new row to all states of a group in one kernel call (assembly/append-rows.ts). The addresses are
 * in a list in the kernels' memory. It is made again if new rows are not in the same tensors as before, or buffers have
 * been resized, which happens in few decode steps.
 */
export class RowAppender {
  readonly #kernels: RankKernels;
  readonly #states: readonly AppendedState[];
  /** {@link stateWords} for each state. */
  readonly #list: Uint32Array;
  /** By state: the new rows that are in the list; empty if it has to be made again. */
  readonly #listed: Tensor[] = [];

  private constructor(kernels: RankKernels, states: readonly AppendedState[], list: Uint32Array) {
    this.#kernels = kernels;
    this.#states = states;
    this.#list = list;
  }

  /** @returns undefined if there are no states, or no room for the list */
  static of(kernels: RankKernels, states: readonly AppendedState[]): RowAppender | undefined {
    if (states.length === 0) return undefined;
    const bytes = kernels.memory.bytes(4 * stateWords * states.length);
    if (bytes === undefined) return undefined;
    return new RowAppender(
      kernels,
      states,
      new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
    );
  }

  /**
   * Copies row `batchRow` of each state's new rows, `[batch, …outer, 1, …inner]`, to a row of a slot.
   *
   * @returns false, without any effect, if not all of them are floats in the kernels' memory
   */
  append(outputs: InOrder, batchRow: number, slot: number, place: number): boolean {
    if (!this.#isListed(outputs) && !this.#makeList(outputs)) return false;
    this.#kernels.appendRows(this.#list.byteOffset, this.#states.length, batchRow, slot, place);
    return true;
  }

  /** Call this if buffers have been resized. */
  forget(): void {
    this.#listed.length = 0;
  }

  #isListed(outputs: InOrder): boolean {
    const [states, listed] = [this.#states, this.#listed];
    if (listed.length < states.length) return false;
    for (let at = 0; at < states.length; at++) {
      if (outputs[states[at]!.output] !== listed[at]) return false;
    }
    return true;
  }

  #makeList(outputs: InOrder): boolean {
    this.forget();
    const { memory } = this.#kernels;
    for (const [at, { output, buffer }] of this.#states.entries()) {
      const rows = outputs[output];
      const { data, outer, capacity, rowBytes } = buffer.layout;
      if (!(rows?.data instanceof Float32Array && data instanceof Float32Array)) return false;
      if (!memory.holds(rows.data) || !memory.holds(data) || rowBytes % 16 !== 0) return false;
      this.#list.set([rows.data.byteOffset, data.byteOffset, outer, capacity, rowBytes], at * stateWords);
      this.#listed.push(rows);
    }
    return true;
  }
}

const stateWords = 5;
