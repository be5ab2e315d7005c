import { KernelResult } from "../kernels/kernel-result.js";
import type { Tensor } from "../tensors/tensor.js";
import type { InstructionList } from "./instruction-list.js";
import { valuesOfOneShape } from "./one-shape.js";

type Table = (Tensor | undefined)[];

/** Where values lie that are read in place, and what is made of them. */
interface Prepared {
  readonly inputs: readonly Tensor[];
  readonly results: readonly Tensor[];
  /** Of the inputs, then of the results. */
  readonly addresses: readonly number[];
  readonly count: number;
}

/**
 * What a segment computes element by element, by the kernel instead of its session. Of the rows of a decode step, its
 * few operators cost a session many times what the arithmetic takes; what is larger the session computes.
 */
export class ElementwiseShortcut {
  readonly #list: InstructionList;
  readonly #inputs: readonly number[];
  readonly #outputs: readonly { readonly index: number; readonly result: KernelResult }[];
  /** Kept where all inputs are read in place: products give the same tensors from step to step. */
  #prepared: Prepared | undefined;

  /**
   * @param inputs by place in the segment: where a value is in the table
   * @param outputs likewise
   */
  constructor(list: InstructionList, inputs: readonly number[], outputs: readonly number[]) {
    this.#list = list;
    this.#inputs = inputs;
    this.#outputs = outputs.map((index) => ({ index, result: new KernelResult(list.kernels.memory) }));
  }

  /**
   * Puts results into the table, good until the next call.
   *
   * @returns false, and nothing is done, where a session has to do it: more floats than kernels work on at once,
   * values that are not of one shape, or no room
   */
  run(table: Table): boolean {
    const prepared = this.#isAsBefore(table) ? this.#prepared : this.#prepare(table);
    if (prepared === undefined) return false;
    this.#list.run(prepared.addresses, prepared.count);
    const outputs = this.#outputs;
    for (let at = 0; at < outputs.length; at++) table[outputs[at]!.index] = prepared.results[at];
    return true;
  }

  #isAsBefore(table: Table): boolean {
    if (this.#prepared === undefined) return false;
    const { inputs } = this.#prepared;
    for (let at = 0; at < inputs.length; at++) if (inputs[at] !== table[this.#inputs[at]!]) return false;
    return true;
  }

  /** Undefined where a session has to do it. */
  #prepare(table: Table): Prepared | undefined {
    this.#prepared = undefined;
    const inputs = valuesOfOneShape(table, this.#inputs);
    if (inputs === undefined) return undefined;
    const [{ dims, data }] = inputs;
    const results = this.#outputs.flatMap(({ result }) => result.tensor(dims) ?? []);
    if (results.length < this.#outputs.length) return undefined;
    const floats = inputs.map((input) => input.data as Float32Array);
    const read = this.#copies(floats);
    if (read === undefined) return undefined;
    const addresses = [...read, ...results.map((result) => result.data as Float32Array)].map(
      ({ byteOffset }) => byteOffset,
    );
    const prepared = { inputs, results, addresses, count: data.length };
    if (read.every((one, at) => one === floats[at])) this.#prepared = prepared;
    return prepared;
  }

  /** The values themselves where the kernel can read them, else copies of them; undefined where there is no room. */
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
