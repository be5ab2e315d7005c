import type { Communicator } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { NativeGate } from "../lifecycle.js";
import type { HeadStart } from "../products/head-start.js";
import type { Tensor } from "../tensors/tensor.js";
import type { StepTrace } from "../trace/step-trace.js";
import type { Bindings } from "./size-product.js";

/** What running needs besides an entry. */
export interface RunContext {
  readonly communicator: Communicator;
  readonly gate: NativeGate;
  readonly trace?: StepTrace | undefined;
}

/** One run of an entry, as its steps see it. */
export interface RunState extends RunContext {
  /** Values by index. A step reads those of earlier ones and puts its own there. */
  readonly table: (Tensor | undefined)[];
  readonly bindings: Bindings;
  /** Experts of this rank that some row went to, so far. */
  expertsRun: number;
}

/**
 * A step of an entry, ready to run: names looked up once, so that a run touches only indices. Each kind is a class with
 * a `run` of its own: in one function for all, the engine's optimizing compiler put everything that a step calls in
 * line, again whenever a kind of step came that had not, and took a second of a core for that beside the first tokens.
 */
export interface CompiledStep {
  /** A promise where something is waited for: an await where nothing is would be a turn of the microtask queue. */
  run(state: RunState): void | Promise<void>;
  /** Of what it reads, for those who wait before it. */
  readonly headStart?: HeadStart | undefined;
}

/** A value of the table, and the name it has in the program. */
export interface NamedIndex {
  readonly name: string;
  readonly index: number;
}

/** @throws RR_POLICY if no step has made it */
export function valueAt({ table }: RunState, { name, index }: NamedIndex): Tensor {
  const value = table[index];
  if (value !== undefined) return value;
  throw new RingrankError("RR_POLICY", `expected "${name}" to be defined by an earlier step`);
}
