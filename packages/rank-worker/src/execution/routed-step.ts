import type { SizeProduct } from "@ringrank/policy";
import { type CompiledStep, type NamedIndex, type RunState, valueAt } from "./compiled-step.js";
import { type ExpertStacks, runExperts } from "./run-experts.js";
import type { SessionCall } from "./session-call.js";
import { resolveSizes } from "./size-product.js";

interface RoutedValues {
  readonly rows: NamedIndex;
  readonly weights: NamedIndex;
  readonly output: number;
  readonly dims: readonly SizeProduct[];
}

/** Runs each expert of this rank for the rows that are routed to it. */
export class RoutedStep implements CompiledStep {
  readonly #call: SessionCall;
  readonly #experts: ExpertStacks;
  readonly #values: RoutedValues;

  constructor(call: SessionCall, experts: ExpertStacks, values: RoutedValues) {
    this.#call = call;
    this.#experts = experts;
    this.#values = values;
  }

  async run(state: RunState): Promise<void> {
    const { table, bindings, trace, communicator } = state;
    const start = trace?.begin();
    const { rows, weights, output, dims } = this.#values;
    const result = await runExperts(
      this.#experts,
      { name: rows.name, value: valueAt(state, rows) },
      { name: weights.name, value: valueAt(state, weights) },
      resolveSizes(dims, bindings),
      async (feeds) => {
        communicator.progress();
        return this.#call.run(feeds, state);
      },
    );
    table[output] = result.output;
    state.expertsRun += result.ran;
    if (start !== undefined) trace?.end("session", `experts ${this.#call.segment}`, start);
  }
}
