import type { ValueShard } from "@ringrank/policy";
import { tensor, toMessage } from "../../tensors/tensor.js";
import { gatherShards } from "../gather-shards.js";
import { type CompiledStep, type NamedIndex, type RunState, valueAt } from "./compiled-step.js";

/** Gathers a value of which each rank has a part. */
export class CompiledAllGather implements CompiledStep {
  readonly #value: NamedIndex;
  readonly #output: number;
  readonly #shard: ValueShard;

  constructor(value: NamedIndex, output: number, shard: ValueShard) {
    this.#value = value;
    this.#output = output;
    this.#shard = shard;
  }

  run(state: RunState): void {
    const { table, trace, communicator } = state;
    const start = trace?.begin();
    const waited = start === undefined ? 0 : communicator.counters.waitedMs;
    const whole = gatherShards(communicator, toMessage(valueAt(state, this.#value)), this.#shard);
    table[this.#output] = tensor(whole.type, whole.data, whole.dims);
    if (start !== undefined)
      trace?.endCollective("allGather", start, communicator.counters.waitedMs - waited);
  }
}
