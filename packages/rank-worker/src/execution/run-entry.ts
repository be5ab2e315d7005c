import { TransientTensor } from "../kernels/transient-tensor.js";
import type { InOrder } from "../tensors/in-order.js";
import type { Table } from "../tensors/table.js";
import type { Tensor } from "../tensors/tensor.js";
import type { CompiledEntry } from "./compiled-entry.js";
import { runSteps } from "./run-steps.js";
import type { Bindings } from "./size-product.js";
import type { RunContext, RunState } from "./steps/compiled-step.js";

export interface RunOutcome {
  /**
   * The entry's outputs, without those that this rank has no part of or that were not computed. The reader must
   * release the {@link TransientTensor}s among them.
   */
  readonly outputs: InOrder;
  /** Sizes of the call's symbolic dimensions. */
  readonly bindings: Bindings;
  /** How many experts of this rank any row was routed to, summed over layers. */
  readonly expertsRun: number;
}

export type Wanted = "all" | "caches" | readonly string[];

/**
 * Runs an entry's steps in order on a table of values. With the synchronous binding, no step waits for the event loop,
 * so a whole call happens in one turn of it.
 *
 * @param inputs every input of the entry
 * @param wanted what all ranks want: all outputs, the new rows of caches, or the outputs of these names. The run ends
 * when that is there.
 * @throws RR_INPUT if an input is missing; RR_SHAPE if sizes contradict one another; RR_GRAPH if the runtime fails;
 * RR_CLOSED if the process ends in the meantime; the group's first cause if a peer fails
 */
export async function runEntry(
  compiled: CompiledEntry,
  inputs: InOrder,
  { communicator, gate, trace }: RunContext,
  wanted: Wanted = "all",
): Promise<RunOutcome> {
  const { sizes, steps } = compiled;
  const bindings = sizes.bind(inputs);
  const table: Table = new Array(compiled.values);
  for (let at = 0; at < inputs.length; at++) table[at] = inputs[at];

  const state: RunState = { communicator, gate, trace, table, bindings, expertsRun: 0 };
  compiled.attention?.beginRun();
  await runSteps(steps, stepsFor(wanted, compiled), state);
  const outputs: (Tensor | undefined)[] = [];
  for (const index of compiled.outputs) outputs.push(take(table, index));
  // Values that only the skipped steps would have read.
  TransientTensor.releaseAll(table);
  return { outputs, bindings, expertsRun: state.expertsRun };
}

function stepsFor(wanted: Wanted, { steps, cacheSteps, outputSteps }: CompiledEntry): number {
  if (wanted === "all") return steps.length;
  if (wanted === "caches") return cacheSteps;
  return Math.max(0, ...wanted.map((name) => outputSteps.get(name) ?? steps.length));
}

/** Takes a value out of the table, so that it stays when what is left there is released. */
function take(table: Table, index: number | undefined): Tensor | undefined {
  if (index === undefined) return undefined;
  const value = table[index];
  table[index] = undefined;
  return value;
}
