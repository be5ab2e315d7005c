import type { KernelCall } from "../kernels/kernel-call.js";
import { KernelResult } from "../kernels/kernel-result.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import type { Table } from "../tensors/table.js";
import type { Tensor } from "../tensors/tensor.js";
import type { InstructionList } from "./instruction-list.js";
import { valuesOfOneShape } from "./one-shape.js";

/** The kernel call for values that are read in place, and its results. */
interface Prepared {
  readonly inputs: readonly Tensor[];
  readonly results: readonly Tensor[];
  readonly call: KernelCall;
}

/**
 * Computes an elementwise segment with the kernel instead of its session. For the rows of a decode step, its few
 * operators cost a session many times as much as the arithmetic. Larger values are left to the session.
 */
export class ElementwiseShortcut {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly #list: InstructionList;
  /** By output. */
  readonly #results: readonly KernelResult[];
  readonly #instructions: Uint32Array | undefined;
  /** Kept if all inputs are read in place: products return the same tensors in every step. */
  #prepared: Prepared | undefined;

  /**
   * @param inputs by position in the segment: the index of the value in the table
   * @param outputs the same for outputs
   */
  constructor(list: InstructionList, inputs: readonly number[], outputs: readonly number[]) {
    this.#list = list;
    this.#instructions = list.copy();
    this.inputs = inputs;
    this.outputs = outputs;
    this.#results = outputs.map(() => new KernelResult(list.kernels.memory));
  }

  /**
   * Puts results into the table, valid until the next call.
   *
   * @returns false, without any effect, if a session must be used: for more floats than kernels process at once, values
   * of different shapes, or no room
   */
  run(table: Table): boolean {
    const prepared = this.#isAsBefore(table) ? this.#prepared : this.#prepare(table);
    if (prepared === undefined) return false;
    this.#list.kernels.make(prepared.call);
    const { outputs } = this;
    for (let at = 0; at < outputs.length; at++) table[outputs[at]!] = prepared.results[at];
    return true;
  }

  /** What the last {@link run} did, if it was nothing but a call of these kernels. */
  lastCall(kernels: RankKernels): KernelCall | undefined {
    return kernels === this.#list.kernels ? this.#prepared?.call : undefined;
  }

  #isAsBefore(table: Table): boolean {
    if (this.#prepared === undefined) return false;
    const { inputs } = this.#prepared;
    for (let at = 0; at < inputs.length; at++) if (inputs[at] !== table[this.inputs[at]!]) return false;
    return true;
  }

  /** Returns undefined if a session must be used. */
  #prepare(table: Table): Prepared | undefined {
    this.#prepared = undefined;
    const inputs = valuesOfOneShape(table, this.inputs);
    if (inputs === undefined || this.#instructions === undefined) return undefined;
    const [{ dims, data }] = inputs;
    const results = this.#results.flatMap((result) => result.tensor(dims) ?? []);
    if (results.length < this.#results.length) return undefined;
    const floats = inputs.map((input) => input.data as Float32Array);
    const read = this.#copies(floats);
    if (read === undefined) return undefined;
    const addresses = [...read, ...results.map((result) => result.data as Float32Array)].map(
      ({ byteOffset }) => byteOffset,
    );
    const call = this.#list.call(this.#instructions, addresses, data.length);
    const prepared = { inputs, results, call };
    if (read.every((one, at) => one === floats[at])) this.#prepared = prepared;
    return prepared;
  }

  /** The values themselves if the kernel can read them, else copies; undefined if there is no room. */
  #copies(values: readonly Float32Array[]): Float32Array[] | undefined {
    const { kernels } = this.#list;
    const isInPlace = (value: Float32Array): boolean =>
      kernels.memory.holds(value) && value.byteOffset % 16 === 0;
    const elsewhere = values.filter((value) => !isInPlace(value));
    if (elsewhere.length === 0) return [...values];
    const length = Math.ceil(values[0]!.length / 4) * 4;
    const scratch = kernels.scratch(elsewhere.length * length);
    if (scratch === undefined) return undefined;
    let next = 0;
    return values.map((value) => {
      if (isInPlace(value)) return value;
      const copy = scratch.subarray(next, next + length);
      next += length;
      copy.set(value);
      return copy;
    });
  }
}
