import type { Normalization } from "../normalization/normalization.js";
import { type CompiledStep, type NamedIndex, type RunState, valueAt } from "./compiled-step.js";

/** Normalizes a value's rows, after adding the addends if there are any. */
export class CompiledNormalization implements CompiledStep {
  readonly #normalization: Normalization;
  readonly #value: NamedIndex;
  readonly #addend: NamedIndex | undefined;
  readonly #output: number;

  constructor(
    normalization: Normalization,
    value: NamedIndex,
    addend: NamedIndex | undefined,
    output: number,
  ) {
    this.#normalization = normalization;
    this.#value = value;
    this.#addend = addend;
    this.#output = output;
  }

  run(state: RunState): void {
    const { table, trace } = state;
    const start = trace?.begin();
    const addend = this.#addend && valueAt(state, this.#addend);
    const { sum, normalized } = this.#normalization.run(valueAt(state, this.#value), addend);
    table[this.#value.index] = sum;
    table[this.#output] = normalized;
    if (start !== undefined) trace?.end("normalizing", `normalize ${this.#value.name}`, start);
  }
}
