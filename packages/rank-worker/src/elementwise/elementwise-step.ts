import { KernelResult } from "../kernels/kernel-result.js";
import { sameSizes, type Tensor } from "../tensors/tensor.js";
import type { InstructionList } from "./instruction-list.js";

type Table = (Tensor | undefined)[];

/**
 * A step whose segment works element by element, by the kernel instead of a session. Its few operators cost a session
 * a hundred times as long as the arithmetic takes, where values are the rows of a decode step; what is larger the
 * session computes, which costs it as little.
 */
export class ElementwiseStep {
  readonly #list: InstructionList;
  readonly #inputs: readonly number[];
  readonly #outputs: readonly { readonly index: number; readonly result: KernelResult }[];

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
    const values = this.#inputs.map((index) => table[index]);
    const dims = values[0]?.dims;
    if (dims === undefined || !values.every((value) => value !== undefined && isAlike(value, dims)))
      return false;
    const results = this.#outputs.map(({ result }) => result.tensor(dims));
    if (!results.every((result) => result !== undefined)) return false;
    const inputs = this.#addresses(values.map((value) => value!.data as Float32Array));
    if (inputs === undefined) return false;
    const outputs = results.map(({ data }) => (data as Float32Array).byteOffset);
    this.#list.run(inputs, outputs, values[0]!.data.length);
    for (const [at, { index }] of this.#outputs.entries()) table[index] = results[at];
    return true;
  }

  /** Of values as they lie, or of copies; undefined where there is no room. */
  #addresses(values: readonly Float32Array[]): number[] | undefined {
    const { kernels } = this.#list;
    const length = Math.ceil(values[0]!.length / 4) * 4;
    const isInPlace = (data: Float32Array): boolean =>
      kernels.memory.holds(data) && data.byteOffset % 16 === 0;
    const elsewhere = values.filter((data) => !isInPlace(data));
    const scratch = elsewhere.length === 0 ? undefined : kernels.scratch(elsewhere.length * length);
    if (elsewhere.length > 0 && scratch === undefined) return undefined;
    let next = 0;
    return values.map((data) => {
      if (isInPlace(data)) return data.byteOffset;
      const copy = scratch!.subarray(next, next + length);
      next += length;
      copy.set(data);
      return copy.byteOffset;
    });
  }
}

function isAlike({ data, dims }: Tensor, sizes: readonly number[]): boolean {
  return data instanceof Float32Array && sameSizes(dims, sizes);
}
