import type { KernelCall } from "../../kernels/kernel-call.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import type { Normalization } from "../../normalization/normalization.js";
import { type NamedIndex, type RunState, valueAt } from "./compiled-step.js";
import type { KernelStep } from "./kernel-step.js";

/** Normalizes a value's rows, after adding the addends if there are any. */
export class CompiledNormalization implements KernelStep {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
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
    this.reads = addend === undefined ? [value.index] : [value.index, addend.index];
    this.writes = [value.index, output];
    this.#normalization = normalization;
    this.#value = value;
    this.#addend = addend;
    this.#output = output;
  }

  lastCalls(kernels: RankKernels): readonly KernelCall[] | undefined {
    return this.#normalization.lastCalls(kernels);
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
