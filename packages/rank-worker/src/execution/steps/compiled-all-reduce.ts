import type { ReduceOperation } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { Addition } from "../../normalization/addition.js";
import { type CompiledStep, type NamedIndex, type RunState, valueAt } from "./compiled-step.js";

/** The addends of a sum, and the value among them. */
export interface Added {
  readonly addition: Addition;
  readonly addend: NamedIndex | undefined;
}

/**
 * For rows of one number, such as the sums of squares of a norm over columns that ranks share. Neighbours are other rows'
 * numbers: rounded by the largest of them, a small one would become 0, and something divides by it.
 */
const unrounded = { wire: "float32" } as const;

/** Sums a value over all ranks, or takes the maximum, and adds the addends to the sum. */
export class CompiledAllReduce implements CompiledStep {
  readonly #value: NamedIndex;
  readonly #operation: ReduceOperation;
  readonly #added: Added | undefined;

  constructor(value: NamedIndex, operation: ReduceOperation, added: Added | undefined) {
    this.#value = value;
    this.#operation = operation;
    this.#added = added;
  }

  run(state: RunState): void {
    const { trace, communicator } = state;
    const start = trace?.begin();
    const waited = start === undefined ? 0 : communicator.counters.waitedMs;
    const { data, dims } = valueAt(state, this.#value);
    if (!(data instanceof Float32Array || data instanceof Int32Array)) {
      throw new RingrankError(
        "RR_TYPE",
        `expected "${this.#value.name}" to be float32 or int32, so that it can be reduced over ranks`,
      );
    }
    // The tensor is this rank's own copy of the computed value, so it may be changed in place.
    communicator.allReduce(data, this.#operation, dims.at(-1) === 1 ? unrounded : undefined);
    if (start !== undefined)
      trace?.endCollective("allReduce", start, communicator.counters.waitedMs - waited);
    if (this.#added !== undefined) this.#add(this.#added, state);
  }

  #add({ addition, addend }: Added, state: RunState): void {
    const { table, trace } = state;
    const start = trace?.begin();
    const sum = valueAt(state, this.#value);
    table[this.#value.index] = addition.run(sum, addend && valueAt(state, addend));
    if (start !== undefined) trace?.end("adding", `add to ${this.#value.name}`, start);
  }
}
