import type { InstructionList } from "../elementwise/instruction-list.js";

/**
 * Elementwise work on a product's outputs, which results in one value as wide as each of them, if nothing else reads
 * the outputs. Each part of the outputs is processed as soon as it is there, which saves writing them to memory and
 * reading them again.
 */
export interface Epilogue {
  /** Its last instruction computes the value. */
  readonly list: InstructionList;
  /** By input of the list: the index of the product's output. */
  readonly inputs: readonly number[];
}
