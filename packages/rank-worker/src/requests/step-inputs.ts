import { RingrankError } from "@ringrank/errors";
import type { DataType } from "@ringrank/model";
import { elementCount } from "@ringrank/model/weights";
import type { Entry } from "@ringrank/policy";
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

/** What a step computes. */
export interface StepBatch {
  /** Rows of the batch, in the order of their slots. */
  readonly rows: readonly BatchRow[];
  /** Number of new tokens of every row. */
  readonly newTokens: number;
  /** Rows of the flattened `[batch · sequence]` for which logits are computed. */
  readonly logitRows: readonly number[];
}

/** The elements of an input, and its sizes. */
interface Filling {
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

interface Filled {
  /** Among the entry's inputs. */
  readonly place: number;
  readonly type: DataType;
  readonly fill: (batch: StepBatch) => Filling;
}

/** Makes the inputs of an entry's steps other than the cache. */
export class StepInputs {
  readonly #filled: readonly Filled[];
  /** An input that neither a step nor a cache fills. */
  readonly #unknown: string | undefined;

  constructor(entry: Entry) {
    const cached = cacheInputs(entry);
    const filled: Filled[] = [];
    for (const [place, { name, type }] of entry.inputs.entries()) {
      const fill = fillingOf(name, entry);
      if (fill !== undefined) filled.push({ place, type, fill });
      else if (!cached.has(name)) this.#unknown ??= name;
    }
    this.#filled = filled;
  }

  /**
   * Puts them in their places.
   *
   * @param inputs the inputs of the cache
   * @throws RR_INPUT if the entry has an input that generation does not know
   */
  add(inputs: (Tensor | undefined)[], batch: StepBatch): void {
    if (this.#unknown !== undefined) {
      throw new RingrankError(
        "RR_INPUT",
        `a step cannot fill the model's input "${this.#unknown}"; use run() and pass it`,
      );
    }
    for (const { place, type, fill } of this.#filled) {
      const { dims, values } = fill(batch);
      inputs[place] = tensor(type, integers(type, values), dims);
    }
  }
}

/** How a step fills the input of this name; undefined if it does not. */
function fillingOf(name: string, entry: Entry): Filled["fill"] | undefined {
  const tokens = tokenInputs(entry);
  switch (name) {
    case tokens.ids:
      return ({ rows, newTokens }) => ({
        dims: [rows.length, newTokens],
        values: rows.flatMap(({ ids }) => ids),
      });
    case tokens.mask:
      return ({ rows, newTokens }) => {
        const dims = [rows.length, newTokens];
        return { dims, values: new Array<number>(elementCount(dims)).fill(1) };
      };
    case names.positionIds:
      return ({ rows, newTokens }) => ({
        dims: [rows.length, newTokens],
        values: rows.flatMap(({ start }) => positions(start, newTokens)),
      });
    case names.promptLengths:
      return ({ rows }) => ({
        dims: [rows.length],
        values: rows.map(({ promptLength = 0 }) => promptLength),
      });
    case names.logitRows:
      return ({ logitRows }) => ({ dims: [logitRows.length], values: logitRows });
    default:
      return undefined;
  }
}

function cacheInputs({ caches, recurrent = [] }: Entry): ReadonlySet<string> {
  const states = [...caches.flatMap((cache) => cache.states), ...recurrent];
  return new Set([...caches.map((cache) => cache.positions), ...states.map(({ past }) => past)]);
}

export function positions(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => start + at);
}
