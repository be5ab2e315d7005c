import type { Interpretable } from "@ringrank/policy";
import { sameSizes, type Tensor } from "../tensors/tensor.js";
import { operators } from "./operators.js";
import { constantValue, inputValue, readTensor, type SmallValue, tensorOf, toTensor } from "./small-value.js";

type Table = (Tensor | undefined)[];

/** Where an output goes in the table. */
interface InterpretedOutput {
  readonly index: number;
  /** Whether the entry gives it, so that it outlives the run. */
  readonly isGiven: boolean;
}

/** A segment made ready for inputs of these sizes. */
interface Prepared {
  readonly inputs: readonly SmallValue[];
  /** What depends on elements, and not on sizes alone. */
  readonly runs: readonly (() => boolean)[];
  readonly outputs: readonly PreparedOutput[];
}

interface PreparedOutput {
  readonly value: SmallValue;
  /** Or the tensor is of the value's own memory, which others may have until the next run. */
  readonly isCopied: boolean;
}

/**
 * A step whose segment is worked out operator by operator, in JavaScript, in place of a session: of a decode step's
 * positions, masks and rows there are so few elements that what a session takes are the fixed costs of a run and of
 * each operator. All that depends on sizes alone is done when they change.
 */
export class Interpreter {
  readonly #plan: Interpretable;
  readonly #inputs: readonly number[];
  readonly #outputs: readonly InterpretedOutput[];
  #prepared: Prepared | undefined;

  /**
   * @param inputs by place in the segment: where a value is in the table
   * @param outputs likewise
   */
  constructor(plan: Interpretable, inputs: readonly number[], outputs: readonly InterpretedOutput[]) {
    this.#plan = plan;
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  /**
   * Puts results into the table, good until the next call, those excepted that the entry gives.
   *
   * @returns false, and nothing is done, where a session has to do it: more elements than are interpreted, sizes that
   * depend on elements, integers that are no numbers, or an error
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
      // Another tensor in each run: what is worked out from one, such as the blocks of a mask, is kept by its identity.
      table[this.#outputs[at]!.index] = isCopied ? toTensor(value) : tensorOf(value);
    }
    return true;
  }

  #isAsBefore(table: Table): boolean {
    return (
      this.#prepared?.inputs.every(({ type, dims }, at) => {
        const value = table[this.#inputs[at]!];
        return value?.type === type && sameSizes(value.dims, dims);
      }) === true
    );
  }

  /** Undefined where a session has to do it. */
  #prepare(table: Table): Prepared | undefined {
    const inputs = this.#inputs.flatMap((index) => (table[index] && inputValue(table[index])) ?? []);
    if (inputs.length < this.#inputs.length) return undefined;
    const values = [...inputs, ...this.#plan.constants.map(constantValue)];
    const runs: (() => boolean)[] = [];
    for (const instruction of this.#plan.instructions) {
      const operands = instruction.operands.map((number) => values[number]!);
      const made = operators[instruction.operator](operands, instruction);
      if (made === undefined) return undefined;
      values.push(made.value);
      if (!made.value.isFixed) runs.push(made.run);
      else if (!made.run()) return undefined;
    }
    const outputs = this.#plan.outputs.map((number, at): PreparedOutput => {
      const value = values[number]!;
      // Who has a tensor may write to it: what is made but once is given as a copy.
      const isCopied = !value.isOwn || value.isFixed || this.#outputs[at]!.isGiven || value.type === "int64";
      return { value, isCopied };
    });
    return { inputs, runs, outputs };
  }
}
