import type { Interpretable } from "@ringrank/policy";
import type { Table } from "../tensors/table.js";
import { sameSizes } from "../tensors/tensor.js";
import type { WeightRows } from "../tensors/weight-rows.js";
import { gather, operators } from "./operators.js";
import { type RowSource, rowsOfTable } from "./row-source.js";
import { constantValue, inputValue, readTensor, type SmallValue, tensorOf, toTensor } from "./small-value.js";

/** The index of an output in the table. */
interface InterpretedOutput {
  readonly index: number;
  /** Whether it is an output of the entry. A message may move its elements to another thread with their memory. */
  readonly isReturned: boolean;
}

/** A segment prepared for inputs of these sizes. */
interface Prepared {
  readonly inputs: readonly SmallValue[];
  /** The work that depends on elements, not only on sizes. */
  readonly runs: readonly (() => boolean)[];
  readonly outputs: readonly PreparedOutput[];
}

interface PreparedOutput {
  readonly value: SmallValue;
  /** Otherwise the tensor is a view on the value's own memory, which the next run overwrites. */
  readonly isCopied: boolean;
}

/**
 * A step whose segment is interpreted operator by operator, in JavaScript, instead of by a session. A decode step's
 * positions, masks and rows have so few elements that a session would mostly spend the fixed costs of a run and of each
 * operator. Everything that only depends on sizes is computed when they change.
 */
export class Interpreter {
  readonly #plan: Interpretable;
  /** By instruction: what it looks rows up in, if that is a weight. */
  readonly #tables: readonly (RowSource | undefined)[];
  readonly #inputs: readonly number[];
  readonly #outputs: readonly InterpretedOutput[];
  #prepared: Prepared | undefined;

  /**
   * @param inputs by position in the segment: the index of the value in the table
   * @param outputs the same for outputs
   * @param rowsOf the rows of a weight that is part of a table, by name
   */
  constructor(
    plan: Interpretable,
    inputs: readonly number[],
    outputs: readonly InterpretedOutput[],
    rowsOf: (weight: string) => WeightRows,
  ) {
    this.#plan = plan;
    this.#tables = plan.instructions.map(({ table }) => table && rowsOfTable(table, rowsOf));
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  /**
   * Puts results into the table. They are valid until the next call, except outputs of the entry, which stay valid.
   *
   * @returns false, without any effect, if a session must be used: for more elements than are interpreted, sizes that
   * depend on elements, integers that are not exact numbers, or an error
   */
  run(table: Table): boolean {
    if (!this.#isAsBefore(table)) this.#prepared = this.#prepare(table);
    if (this.#prepared === undefined) return false;
    const { inputs, runs, outputs } = this.#prepared;
    for (let at = 0; at < inputs.length; at++)
      if (!readTensor(table[this.#inputs[at]!]!, inputs[at]!)) return false;
    for (let at = 0; at < runs.length; at++) if (!runs[at]!()) return false;
    for (let at = 0; at < outputs.length; at++) {
      const { value, isCopied } = outputs[at]!;
      // A new tensor in each run, because results derived from one, such as the blocks of a mask, are cached by its
      // identity.
      table[this.#outputs[at]!.index] = isCopied ? toTensor(value) : tensorOf(value);
    }
    return true;
  }

  /** Only sizes may change: the graph fixes types. */
  #isAsBefore(table: Table): boolean {
    const isAsBefore = ({ dims }: SmallValue, at: number): boolean => {
      const value = table[this.#inputs[at]!];
      return value !== undefined && sameSizes(value.dims, dims);
    };
    return this.#prepared?.inputs.every(isAsBefore) === true;
  }

  /** Returns undefined if a session must be used. */
  #prepare(table: Table): Prepared | undefined {
    const inputs = this.#inputs.flatMap((index) => (table[index] && inputValue(table[index])) ?? []);
    if (inputs.length < this.#inputs.length) return undefined;
    const values = [...inputs, ...this.#plan.constants.map(constantValue)];
    const runs: (() => boolean)[] = [];
    for (const [at, instruction] of this.#plan.instructions.entries()) {
      const operands = instruction.operands.map((number) => values[number]!);
      const table = this.#tables[at];
      const made =
        table === undefined
          ? operators[instruction.operator](operands, instruction)
          : gather(table, operands[0]!);
      if (made === undefined) return undefined;
      values.push(made.value);
      if (!made.value.isFixed) runs.push(made.run);
      else if (!made.run()) return undefined;
    }
    const outputs = this.#plan.outputs.map((number, at): PreparedOutput => {
      const value = values[number]!;
      // The receiver of a tensor may write to it, so values that are only computed once are passed as copies.
      const isCopied =
        !value.isOwn || value.isFixed || this.#outputs[at]!.isReturned || value.type === "int64";
      return { value, isCopied };
    });
    return { inputs, runs, outputs };
  }
}
