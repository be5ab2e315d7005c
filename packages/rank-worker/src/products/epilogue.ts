import type { InstructionList } from "../elementwise/instruction-list.js";

/**
 * What is made of a product's outputs element by element, as one value as wide as each of them, where nothing else reads
 * them: made of each part of them as soon as that is there, it spares writing them to memory and reading them again.
 */
export interface Epilogue {
  /** Its last instruction makes the value. */
  readonly list: InstructionList;
  /** By input of the list: place of an output of the product. */
  readonly inputs: readonly number[];
}
