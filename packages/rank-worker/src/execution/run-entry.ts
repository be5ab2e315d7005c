import type { Communicator } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import { allocate } from "@ringrank/model/weights";
import type { NativeGate } from "../lifecycle.js";
import type { Fetched } from "../sessions/ort-binding.js";
import { elementCount } from "../tensors/element-types.js";
import { type Tensor, tensor, toMessage } from "../tensors/tensor.js";
import type { StepTrace } from "../trace/step-trace.js";
import type { CompiledEntry, CompiledStep, SessionCall } from "./compile-entry.js";
import { gatherShards } from "./gather-shards.js";
import { runExperts } from "./run-experts.js";
import { type Bindings, bindSizes, resolveSizes } from "./size-product.js";

/** What running needs besides the entry. */
export interface RunContext {
  readonly communicator: Communicator;
  readonly gate: NativeGate;
  readonly trace?: StepTrace | undefined;
}

/** An entry's outputs; those that this rank has no part of, or that were not wanted, are left out. */
export interface RunOutcome {
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** Sizes of the call's symbolic dimensions. */
  readonly bindings: Bindings;
  /** How many experts of this rank some row went to, summed over layers. */
  readonly expertsRun: number;
}

/**
 * Runs an entry's steps in order over a table of values. With the synchronous binding no step waits for the event
 * loop, so a call's whole work happens in one turn of it.
 *
 * @param inputs every input of the entry, by name
 * @param wanted `caches` where all ranks want new rows of caches and nothing else: then it ends when those are there
 * @throws RR_INPUT if an input is missing; RR_SHAPE if sizes contradict one another; RR_GRAPH if the runtime fails;
 * RR_CLOSED if the process ends meanwhile; the group's first cause if a peer fails
 */
export async function runEntry(
  compiled: CompiledEntry,
  inputs: ReadonlyMap<string, Tensor>,
  context: RunContext,
  wanted: "all" | "caches" = "all",
): Promise<RunOutcome> {
  const { entry, indices } = compiled;
  const steps = wanted === "all" ? compiled.steps : compiled.steps.slice(0, entry.cacheSteps);
  const table: (Tensor | undefined)[] = new Array(indices.size);
  const bindings: Bindings = new Map();
  for (const declared of entry.inputs) {
    const value = inputs.get(declared.name);
    if (value === undefined)
      throw new RingrankError("RR_INPUT", `expected the input "${declared.name}", got none`);
    table[indices.get(declared.name)!] = value;
    bindSizes(declared, value.dims, bindings);
  }

  let expertsRun = 0;
  compiled.attention?.beginRun();
  for (const step of steps) {
    const { trace } = context;
    const start = trace?.begin();
    if (step.kind === "run") {
      // Awaited only where it is a promise: an await of its own would cost a turn of the microtask queue per segment.
      const attended = step.rowAttention?.run(table) === true || inBlocks(step, table, context);
      if (attended instanceof Promise ? await attended : attended) {
        if (start !== undefined) trace?.end("attention", `attention ${step.segment}`, start);
      } else if (step.elementwise?.run(table) === true) {
        if (start !== undefined) trace?.end("activating", `elementwise ${step.segment}`, start);
      } else {
        const fetched = runSegment(step, table, context);
        storeResults(step, fetched instanceof Promise ? await fetched : fetched, table);
        if (start !== undefined) trace?.end("session", `segment ${step.segment}`, start);
      }
      context.communicator.progress();
    } else if (step.kind === "product") {
      const given = step.product.run(present(table[step.value], step.name), (feeds) => {
        context.communicator.progress();
        return runNatively(step, feeds, context);
      });
      const values = given instanceof Promise ? await given : given;
      for (const [at, index] of step.outputs.entries()) table[index] = values[at];
      if (start !== undefined) trace?.end("multiplying", `multiply ${step.name}`, start);
      context.communicator.progress();
    } else if (step.kind === "routed") {
      const { rows, weights } = step;
      const dims = resolveSizes(step.dims, bindings);
      const run = async (feeds: Readonly<Record<string, Tensor>>): Promise<Fetched> => {
        context.communicator.progress();
        return runNatively(step, feeds, context);
      };
      const result = await runExperts(
        step,
        present(table[rows.index], rows.name),
        present(table[weights.index], weights.name),
        dims,
        run,
      );
      table[step.output] = result.output;
      expertsRun += result.ran;
      if (start !== undefined) trace?.end("session", `experts ${step.segment}`, start);
    } else if (step.kind === "normalize") {
      const { addend } = step;
      const { sum, normalized } = step.normalization.run(
        present(table[step.value], step.name),
        addend && present(table[addend.index], addend.name),
      );
      table[step.value] = sum;
      table[step.output] = normalized;
      if (start !== undefined) trace?.end("normalizing", `normalize ${step.name}`, start);
    } else {
      const { communicator } = context;
      const waited = start === undefined ? 0 : communicator.counters.waitedMs;
      runCollective(step, table, bindings, communicator);
      if (start !== undefined && step.kind !== "zeros") {
        trace?.endCollective(step.kind, start, communicator.counters.waitedMs - waited);
      }
      if (step.kind === "allReduce" && step.addition !== undefined) {
        const begun = trace?.begin();
        const { addition, addend } = step;
        table[step.value] = addition.run(
          present(table[step.value], step.name),
          addend && present(table[addend.index], addend.name),
        );
        if (begun !== undefined) trace?.end("adding", `add to ${step.name}`, begun);
      }
    }
    for (const index of step.drop) table[index] = undefined;
  }

  const outputs = new Map<string, Tensor>();
  for (const { name } of entry.outputs) {
    const index = indices.get(name);
    const value = index === undefined ? undefined : table[index];
    if (value !== undefined) outputs.set(name, value);
  }
  return { outputs, bindings, expertsRun };
}

type Step<Kind extends CompiledStep["kind"]> = Extract<CompiledStep, { kind: Kind }>;
type Table = (Tensor | undefined)[];

function runSegment(step: Step<"run">, table: Table, context: RunContext): Fetched | Promise<Fetched> {
  const feeds: Record<string, Tensor> = { ...step.sharedWeights };
  for (const { name, index } of step.feeds) feeds[name] = present(table[index], name);
  return runNatively(step, feeds, context);
}

/** @returns false, and nothing is done, where that is no way */
function inBlocks({ blocks }: Step<"run">, table: Table, context: RunContext): false | Promise<true> {
  if (blocks === undefined) return false;
  return blocks.attention.run(table, (feeds) => {
    context.communicator.progress();
    return runNatively(blocks, feeds, context);
  });
}

function runNatively(
  step: SessionCall,
  feeds: Readonly<Record<string, Tensor>>,
  { gate }: RunContext,
): Fetched | Promise<Fetched> {
  gate.enter();
  let fetched: Fetched | Promise<Fetched>;
  try {
    fetched = step.session.run(feeds, step.fetches);
  } catch (cause) {
    gate.leave();
    throw segmentError(step, cause);
  }
  if (!(fetched instanceof Promise)) {
    gate.leave();
    return fetched;
  }
  return fetched.then(
    (results) => {
      gate.leave();
      return results;
    },
    (cause) => {
      gate.leave();
      throw segmentError(step, cause);
    },
  );
}

function storeResults(step: Step<"run">, fetched: Fetched, table: Table): void {
  for (const { name, index } of step.results) table[index] = fetched[name];
}

function runCollective(
  step: Step<"allReduce" | "allGather" | "zeros">,
  table: Table,
  bindings: Bindings,
  communicator: Communicator,
): void {
  switch (step.kind) {
    case "allReduce": {
      const { data } = present(table[step.value], step.name);
      if (!(data instanceof Float32Array || data instanceof Int32Array)) {
        throw new RingrankError(
          "RR_TYPE",
          `expected "${step.name}" to be float32 or int32 to be reduced over ranks`,
        );
      }
      // The tensor is this rank's own copy of what the runtime computed, so it may change in place.
      communicator.allReduce(data, step.operation);
      break;
    }
    case "allGather": {
      const whole = gatherShards(communicator, toMessage(present(table[step.value], step.name)), step.shard);
      table[step.output] = tensor(whole.type, whole.data, whole.dims);
      break;
    }
    case "zeros": {
      const dims = resolveSizes(step.dims, bindings);
      table[step.value] = tensor(step.type, allocate(step.type, elementCount(dims)), dims);
    }
  }
}

function present(value: Tensor | undefined, name: string): Tensor {
  if (value === undefined)
    throw new RingrankError("RR_POLICY", `expected "${name}" to be defined by an earlier step`);
  return value;
}

function segmentError(step: SessionCall, cause: unknown): RingrankError {
  return new RingrankError("RR_GRAPH", `ONNX Runtime failed in segment ${step.segment}: ${String(cause)}`, {
    cause,
  });
}
