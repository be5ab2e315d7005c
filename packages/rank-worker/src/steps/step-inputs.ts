import { RingrankError } from "@ringrank/errors";
import { elementCount } from "@ringrank/model/weights";
import type { Entry, LocalValue } from "@ringrank/policy";
import { integers } from "../tensors/element-types.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { names, tokenInputs } from "./interface-names.js";

/** One row of a step's batch. */
export interface BatchRow {
  readonly ids: readonly number[];
  /** Position of its first new token in its own sequence. */
  readonly start: number;
  /** Of the whole prompt, if these are a part of it after which more comes. */
  readonly promptLength?: number | undefined;
}

/**
 * Adds the inputs of a step other than the cache.
 *
 * @param inputs the inputs of the cache
 * @param rows rows of the batch, in the order of their slots
 * @param newTokens number of new tokens of every row
 * @param logitRows rows of the flattened `[batch · sequence]` for which logits are computed
 * @throws RR_INPUT if the entry has an input that generation does not know
 */
export function addStepInputs(
  inputs: Map<string, Tensor>,
  entry: Entry,
  rows: readonly BatchRow[],
  newTokens: number,
  logitRows: readonly number[],
): void {
  const batch = [rows.length, newTokens];
  const tokens = tokenInputs(entry);
  for (const declared of entry.inputs) {
    switch (declared.name) {
      case tokens.ids:
        add(
          declared,
          batch,
          rows.flatMap((row) => row.ids),
        );
        break;
      case tokens.mask:
        add(declared, batch, new Array<number>(elementCount(batch)).fill(1));
        break;
      case names.positionIds:
        add(
          declared,
          batch,
          rows.flatMap((row) => positions(row.start, newTokens)),
        );
        break;
      case names.promptLengths:
        add(
          declared,
          [rows.length],
          rows.map(({ promptLength = 0 }) => promptLength),
        );
        break;
      case names.logitRows:
        add(declared, [logitRows.length], logitRows);
        break;
      default:
        if (inputs.has(declared.name)) break;
        throw new RingrankError(
          "RR_INPUT",
          `a step cannot fill the model's input "${declared.name}"; use run() and pass it`,
        );
    }
  }

  function add({ name, type }: LocalValue, dims: readonly number[], values: readonly number[]): void {
    inputs.set(name, tensor(type, integers(type, values), dims));
  }
}

export function positions(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => start + at);
}
