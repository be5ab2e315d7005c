import { RingrankError } from "@ringrank/errors";
import type { Entry } from "@ringrank/policy";
import { type Tensor, tensorData } from "../tensors/tensor.js";
import { StateBuffer } from "./state-buffer.js";

interface Recurrent {
  readonly past: string;
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
  constructor({ recurrent = [], inputs }: Entry) {
    const declared = new Map(inputs.map((value) => [value.name, value]));
    this.#states = recurrent.map(({ past, present }) => {
      const { type, dims } = declared.get(past)!;
      const [rows, ...inner] = dims.slice(1).map(({ scale, symbols }) => {
        if (symbols.length === 0) return scale;
        throw new RingrankError(
          "RR_POLICY",
          `expected the state "${past}" to be fixed in size but for batch, got a symbolic size`,
        );
      });
      const buffer = new StateBuffer({ type, outer: [], inner, fill: 0 }, Number.POSITIVE_INFINITY);
      return { past, present, buffer, rows: rows! };
    });
  }

  resize(slots: number): void {
    if (slots === this.#slots) return;
    this.#slots = slots;
    for (const { buffer, rows } of this.#states) buffer.resize(slots, rows);
  }

  /** Adds the states of slots `[first, first + count)`. */
  addInputs(inputs: Map<string, Tensor>, first: number, count: number): void {
    for (const { past, buffer } of this.#states) inputs.set(past, buffer.view(first, count, "all"));
  }

  /** Takes a sequence's new states from its row of a step's outputs. */
  replace(slot: number, outputs: ReadonlyMap<string, Tensor>, batchRow: number): void {
    for (const { present, buffer, rows } of this.#states) {
      const given = outputs.get(present);
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
