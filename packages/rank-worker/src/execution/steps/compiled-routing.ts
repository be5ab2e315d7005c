import type { SizeProduct } from "@ringrank/policy";
import { TransientTensor } from "../../kernels/transient-tensor.js";
import type { Table } from "../../tensors/table.js";
import type { Tensor } from "../../tensors/tensor.js";
import { runExperts } from "../run-experts.js";
import { runSteps } from "../run-steps.js";
import { resolveSizes } from "../size-product.js";
import type { CompiledExperts } from "./compiled-experts.js";
import { type CompiledStep, type NamedIndex, type RunState, valueAt } from "./compiled-step.js";

interface RoutedValues {
  readonly rows: NamedIndex;
  readonly weights: NamedIndex;
  readonly output: number;
  readonly dims: readonly SizeProduct[];
}

/** Runs each expert of this rank for the rows that are routed to it. */
export class CompiledRouting implements CompiledStep {
  readonly #experts: CompiledExperts;
  readonly #values: RoutedValues;

  constructor(experts: CompiledExperts, values: RoutedValues) {
    this.#experts = experts;
    this.#values = values;
  }

  async run(state: RunState): Promise<void> {
    const { rows, weights, output, dims } = this.#values;
    const result = await runExperts(
      this.#experts.count,
      { name: rows.name, value: valueAt(state, rows) },
      { name: weights.name, value: valueAt(state, weights) },
      resolveSizes(dims, state.bindings),
      (expert, given, use) => this.#run(expert, given, use, state),
    );
    state.table[output] = result.output;
    state.expertsRun += result.ran;
  }

  async #run(
    expert: number,
    given: Tensor,
    use: (perExpert: Tensor) => void,
    state: RunState,
  ): Promise<void> {
    const { steps, current, values, rows, stacks, perExpert } = this.#experts;
    const table: Table = new Array(values);
    table[rows] = given;
    for (const { index, parts } of stacks) table[index] = parts[expert];
    current.expert = expert;
    state.communicator.progress();
    const own = { ...state, table };
    await runSteps(steps, steps.length, own);
    const made = valueAt(own, { name: "the result of an expert", index: perExpert });
    use(made);
    if (made instanceof TransientTensor) made.release();
  }
}
