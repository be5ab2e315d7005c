import type { Communicator } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { NativeGate } from "../../lifecycle.js";
import type { HeadStart } from "../../products/head-start.js";
import type { StepTrace } from "../../step-trace.js";
import type { Table } from "../../tensors/table.js";
import type { Tensor } from "../../tensors/tensor.js";
import type { Bindings } from "../size-product.js";

/** What a run needs in addition to an entry. */
export interface RunContext {
  readonly communicator: Communicator;
  readonly gate: NativeGate;
  readonly trace?: StepTrace | undefined;
}

/** One run of an entry, as its steps see it. */
export interface RunState extends RunContext {
  /** Values by index. A step reads the values of earlier steps and adds its own. */
  readonly table: Table;
  readonly bindings: Bindings;
  /** Experts of this rank that any row was routed to, so far. */
  expertsRun: number;
}

/**
 * A step of an entry that is ready to run: names have been looked up, so a run only uses indices. Each kind is a class
 * with its own `run`. With a single function for all kinds, the optimizing compiler inlined everything that a step
 * calls, again for each new kind of step, which took a second of a core during the first tokens.
 */
export interface CompiledStep {
  /** A promise only if the step waits for something: an unnecessary await would cost a turn of the microtask queue. */
  run(state: RunState): void | Promise<void>;
  /** Reads ahead what this step needs, while an earlier step waits. */
  readonly headStart?: HeadStart | undefined;
}

/** A value of the table, and its name in the program. */
export interface NamedIndex {
  readonly name: string;
  readonly index: number;
}

/** @throws RR_POLICY if no step has computed it */
export function valueAt({ table }: RunState, { name, index }: NamedIndex): Tensor {
  const value = table[index];
  if (value !== undefined) return value;
  throw new RingrankError("RR_POLICY", `expected "${name}" to be defined by an earlier step`);
}
