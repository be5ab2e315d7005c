import { RingrankError } from "@ringrank/errors";
import { TransientTensor } from "../kernels/transient-tensor.js";
import type { Table } from "../tensors/table.js";
import type { Tensor } from "../tensors/tensor.js";
import type { CompiledEntry } from "./compiled-entry.js";
import type { RunContext, RunState } from "./compiled-step.js";
import { runSteps } from "./run-steps.js";
import { type Bindings, bindSizes } from "./size-product.js";

export interface RunOutcome {
  /**
   * The entry's outputs, without those that this rank has no part of or that were not requested. The reader must
   * release the {@link TransientTensor}s among them.
   */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** Sizes of the call's symbolic dimensions. */
  readonly bindings: Bindings;
  /** How many experts of this rank any row was routed to, summed over layers. */
  readonly expertsRun: number;
}

/**
 * Runs an entry's steps in order on a table of values. With the synchronous binding, no step waits for the event loop,
 * so a whole call happens in one turn of it.
 *
 * @param inputs every input of the entry, by name
 * @param wanted `caches` if all ranks only want the new rows of caches; the run then ends when those are there
 * @throws RR_INPUT if an input is missing; RR_SHAPE if sizes contradict one another; RR_GRAPH if the runtime fails;
 * RR_CLOSED if the process ends in the meantime; the group's first cause if a peer fails
 */
export async function runEntry(
  compiled: CompiledEntry,
  inputs: ReadonlyMap<string, Tensor>,
  { communicator, gate, trace }: RunContext,
  wanted: "all" | "caches" = "all",
): Promise<RunOutcome> {
  const { entry, indices, steps } = compiled;
  const table: Table = new Array(indices.size);
  const bindings: Bindings = new Map();
  for (const declared of entry.inputs) {
    const value = inputs.get(declared.name);
    if (value === undefined)
      throw new RingrankError("RR_INPUT", `expected the input "${declared.name}", got none`);
    table[indices.get(declared.name)!] = value;
    bindSizes(declared, value.dims, bindings);
  }

  const state: RunState = { communicator, gate, trace, table, bindings, expertsRun: 0 };
  compiled.attention?.beginRun();
  const end = wanted === "all" ? steps.length : (entry.cacheSteps ?? steps.length);
  await runSteps(steps, end, state);
  const outputs = new Map<string, Tensor>();
  for (const { name } of entry.outputs) {
    const index = indices.get(name);
    const value = index === undefined ? undefined : table[index];
    if (value === undefined) continue;
    outputs.set(name, value);
    table[index!] = undefined;
  }
  // Values that only the skipped steps would have read.
  TransientTensor.releaseAll(table);
  return { outputs, bindings, expertsRun: state.expertsRun };
}
