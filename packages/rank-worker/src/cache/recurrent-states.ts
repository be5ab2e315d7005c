import { RingrankError } from "@ringrank/errors";
import type { Entry } from "@ringrank/policy";
import type { InOrder } from "../tensors/in-order.js";
import { type Tensor, tensorData } from "../tensors/tensor.js";
import { StateBuffer } from "./state-buffer.js";

interface Recurrent {
  /** Its place among the entry's inputs, and that of the new state among its outputs; −1 if there is none. */
  readonly input: number;
  readonly output: number;
  /** The name of this output, for errors. */
  readonly present: string;
  /** Its rows are the first axis after the batch; all of them are replaced together. */
  readonly buffer: StateBuffer;
  readonly rows: number;
}

/** The states of all sequences that each step replaces. They are zero before a sequence's first step. */
export class RecurrentStates {
  readonly #states: readonly Recurrent[];
  #slots = 0;

  /** @throws RR_POLICY if a state's local shape has symbolic sizes other than batch */
  constructor({ recurrent = [], inputs, outputs }: Entry) {
    this.#states = recurrent.map(({ past, present }) => {
      const input = inputs.findIndex(({ name }) => name === past);
      const output = outputs.findIndex(({ name }) => name === present);
      const { type, dims } = inputs[input]!;
      const [rows, ...inner] = dims.slice(1).map(({ scale, symbols }) => {
        if (symbols.length === 0) return scale;
        throw new RingrankError(
          "RR_POLICY",
          `expected the state "${past}" to be fixed in size but for batch, got a symbolic size`,
        );
      });
      const buffer = new StateBuffer({ type, outer: [], inner, fill: 0 }, Number.POSITIVE_INFINITY);
      return { input, output, present, buffer, rows: rows! };
    });
  }

  resize(slots: number): void {
    if (slots === this.#slots) return;
    this.#slots = slots;
    for (const { buffer, rows } of this.#states) buffer.resize(slots, rows);
  }

  /** Puts the states of slots `[first, first + count)` in their places. */
  addInputs(inputs: (Tensor | undefined)[], first: number, count: number): void {
    for (const { input, buffer } of this.#states) inputs[input] = buffer.view(first, count, "all");
  }

  /** Takes a sequence's new states from its row of a step's outputs. */
  replace(slot: number, outputs: InOrder, batchRow: number): void {
    for (const { output, present, buffer, rows } of this.#states) {
      const given = outputs[output];
      if (given === undefined) {
        throw new RingrankError(
          "RR_POLICY",
          `expected the entry to give the new state "${present}", got none`,
        );
      }
      buffer.append(slot, 0, tensorData(given), batchRow, rows);
    }
  }

  /** Copies of a slot's states. */
  take(slot: number): Uint8Array[] {
    return Array.from(this.#states, ({ buffer, rows }) => buffer.take(slot, rows));
  }

  put(slot: number, taken: readonly Uint8Array[]): void {
    for (const [at, { buffer, rows }] of this.#states.entries()) buffer.put(slot, taken[at]!, 0, rows);
  }

  clear(slot: number): void {
    for (const { buffer } of this.#states) buffer.clear(slot);
  }

  copySlot(from: number, to: number): void {
    for (const { buffer } of this.#states) buffer.copySlot(from, to);
  }

  swapSlots(one: number, other: number): void {
    for (const { buffer } of this.#states) buffer.swapSlots(one, other);
  }
}
