import type { Communicator } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import { totalLength } from "@ringrank/model/weights";
import type { Entry, ValueShard } from "@ringrank/policy";
import { gatherShards } from "../execution/gather-shards.js";
import type { InOrder } from "../tensors/in-order.js";
import { names } from "./interface-names.js";

/**
 * The logits output of an entry as this rank has it: `[rows, this rank's part of the vocabulary]`, or
 * `[batch, sequence, …]` if the graph has no `logit_rows` input.
 */
export class ShardedLogits {
  readonly vocabulary: number;
  /** Undefined if every rank has the whole vocabulary. */
  readonly shard: ValueShard | undefined;
  /** Whether the graph only computes logits for the requested rows. */
  readonly #selectsRows: boolean;
  readonly #localSize: number;
  /** Its place among the entry's outputs. */
  readonly #place: number;

  /** @throws RR_POLICY if the entry has no logits, or their vocabulary depends on the call */
  constructor(entry: Entry, rank: number) {
    this.#place = entry.outputs.findIndex((output) => output.name === names.logits);
    const declared = entry.outputs[this.#place];
    const axis = (declared?.dims.length ?? 0) - 1;
    const last = declared?.dims[axis];
    if (declared === undefined || last === undefined) {
      throw new RingrankError("RR_POLICY", `expected the entry to have an output "${names.logits}"`);
    }
    if (declared.shard !== undefined && declared.shard.axis !== axis) {
      throw new RingrankError(
        "RR_POLICY",
        `expected logits sharded on their last axis, got axis ${declared.shard.axis}`,
      );
    }
    this.shard = declared.shard;
    this.vocabulary = declared.shard?.size ?? last.scale;
    this.#localSize = declared.shard ? totalLength(declared.shard.intervals[rank] ?? []) : last.scale;
    this.#selectsRows = entry.inputs.some((input) => input.name === names.logitRows);
  }

  /**
   * This rank's logits of some rows.
   *
   * @param outputs those of the entry
   * @param wanted by row of the request: rows of the flattened `[batch · sequence]`
   * @returns views, in the same grouping; empty arrays on a rank without vocabulary
   * @throws RR_TYPE if logits are not float32
   */
  rows(outputs: InOrder, wanted: readonly (readonly number[])[]): Float32Array[][] {
    if (this.#localSize === 0) return wanted.map((flat) => flat.map(() => new Float32Array(0)));
    const output = outputs[this.#place];
    const data = output?.data;
    if (!(data instanceof Float32Array)) {
      throw new RingrankError("RR_TYPE", `expected float32 logits, got ${output?.type ?? "none"}`);
    }
    let computed = 0;
    return Array.from(wanted, (flat) =>
      Array.from(flat, (row) => {
        const start = (this.#selectsRows ? computed : row) * this.#localSize;
        computed++;
        return data.subarray(start, start + this.#localSize);
      }),
    );
  }

  /** Whole rows `[rows, vocabulary]`, the same on every rank. */
  gather(rows: readonly Float32Array[], communicator: Communicator): Float32Array {
    const part = new Float32Array(rows.length * this.#localSize);
    for (const [at, row] of rows.entries()) part.set(row, at * this.#localSize);
    if (this.shard === undefined) return part;
    const { data } = gatherShards(
      communicator,
      { type: "float32", dims: [rows.length, this.#localSize], data: part },
      { ...this.shard, axis: 1 },
    );
    return data as Float32Array;
  }
}
