import type { Elementwise, ElementwiseOperation } from "@ringrank/policy";
import { wholeLines } from "../kernels/cache-line.js";
import { type KernelCall, kernelCall } from "../kernels/kernel-call.js";
import type { RankKernels } from "../kernels/rank-kernels.js";

/** By number, in the same order as in assembly/elementwise/elementwise.ts. */
const operations: readonly ElementwiseOperation[] = [
  ...(["add", "subtract", "multiply", "divide", "minimum", "maximum"] as const),
  ...(["sqrt", "exp", "sigmoid", "tanh", "erf"] as const),
];

/** Floats that the kernel processes at once. */
const chunk = 256;

/**
 * Offsets in an instruction, in 32-bit words, as in assembly/elementwise/elementwise.ts. Operands and result each have
 * an address, followed by whether it advances with the elements.
 */
const word = { operation: 0, left: 1, right: 3, out: 5 } as const;
const wordsOfInstruction = 7;

/**
 * The instructions of an elementwise segment in the kernel's format. Steps that run the segment share its constants and
 * the room for intermediate results.
 */
export class InstructionList {
  readonly kernels: RankKernels;
  /** Whether the last instruction computes the only output, so that it can be written {@link runRows elsewhere}. */
  readonly endsWithOutput: boolean;
  readonly #words: Uint32Array;
  readonly #first: number;
  readonly #end: number;
  /**
   * Words that are set to an address at run time: an index in the words, and which input, or output after the inputs,
   * has the address.
   */
  readonly #places: { readonly at: number; readonly whose: number }[] = [];

  private constructor(kernels: RankKernels, plan: Elementwise, inputs: number, room: Float32Array) {
    const { instructions, outputs } = plan;
    this.kernels = kernels;
    this.endsWithOutput = outputs.length === 1 && outputs[0] === inputs + instructions.length - 1;
    const length = instructions.length * wordsOfInstruction;
    const words = new Uint32Array(room.buffer, room.byteOffset, length);
    this.#words = words;
    this.#first = words.byteOffset;
    this.#end = words.byteOffset + words.byteLength;
    // After the instructions, in whole cache lines: intermediate results and constants.
    let next = wholeLines(4 * length) / 4;
    const takeChunk = (content = 0): number => {
      next += chunk;
      return room.subarray(next - chunk, next).fill(content).byteOffset;
    };
    const between = new Map<number, number>();
    const placeValue = (at: number, value: number): void => {
      const output = outputs.indexOf(value);
      if (value < inputs || output !== -1) {
        this.#places.push({ at, whose: value < inputs ? value : inputs + output });
        words[at + 1] = 1;
        return;
      }
      const address = between.get(value) ?? takeChunk();
      between.set(value, address);
      words[at] = address;
    };
    for (const [index, { operation, operands }] of instructions.entries()) {
      const first = index * wordsOfInstruction;
      words[first + word.operation] = operations.indexOf(operation);
      for (const [side, operand] of operands.entries()) {
        const at = first + (side === 0 ? word.left : word.right);
        if ("value" in operand) placeValue(at, operand.value);
        else words[at] = takeChunk(operand.constant);
      }
      placeValue(first + word.out, inputs + index);
    }
  }

  /**
   * @param inputs the number of inputs of the segment
   * @returns undefined if there is no room
   */
  static open(kernels: RankKernels, plan: Elementwise, inputs: number): InstructionList | undefined {
    const { length } = plan.instructions;
    const constants = plan.instructions
      .flatMap(({ operands }) => operands)
      .filter((one) => "constant" in one);
    const words = wholeLines(4 * length * wordsOfInstruction) / 4;
    const room = kernels.memory.floats(words + (constants.length + length) * chunk);
    return room && new InstructionList(kernels, plan, inputs, room);
  }

  /** A step's own copy of the instructions, so that they keep its addresses; undefined if there is no room. */
  copy(): Uint32Array | undefined {
    const room = this.kernels.memory.unclearedFloats(this.#words.length);
    return room && new Uint32Array(room.buffer, room.byteOffset, room.length);
  }

  /**
   * @param copy of the instructions, which the call runs
   * @param addresses of the inputs, then of the outputs; multiples of 16
   * @param count number of floats in each; whole vectors of four are read and written
   */
  call(copy: Uint32Array, addresses: readonly number[], count: number): KernelCall {
    this.#place(addresses);
    copy.set(this.#words);
    return kernelCall("elementwise", copy.byteOffset, copy.byteOffset + copy.byteLength, count);
  }

  /**
   * Runs on rows that follow one another, and writes row r of the output as row `order[r]` of its destination. Only if
   * the list {@link endsWithOutput}.
   *
   * @param addresses of the inputs, then of the output, as above
   * @param columns a multiple of 4
   * @param order in the kernels' memory, with one entry per row
   * @param outBytes bytes between rows of the output
   */
  runRows(addresses: readonly number[], columns: number, order: Int32Array, outBytes: number): void {
    this.#place(addresses);
    const { length: rows, byteOffset } = order;
    this.kernels.elementwiseRows(this.#first, this.#end, rows, columns, byteOffset, outBytes);
  }

  #place(addresses: readonly number[]): void {
    for (const { at, whose } of this.#places) this.#words[at] = addresses[whose]!;
  }
}
