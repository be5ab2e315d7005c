import type { Elementwise, ElementwiseOperation } from "@ringrank/policy";
import type { RankKernels } from "../kernels/rank-kernels.js";

/** By number; assembly/elementwise.ts has the same order. */
const operations: readonly ElementwiseOperation[] = [
  ...(["add", "subtract", "multiply", "divide", "minimum", "maximum"] as const),
  ...(["sqrt", "exp", "sigmoid", "tanh", "erf"] as const),
];

/** Floats that the kernel works on at once. */
const chunk = 256;

/**
 * Places in an instruction, in 32-bit words, as in assembly/elementwise.ts. Of operands and of what is made: the
 * address, then whether it moves with the elements.
 */
const word = { operation: 0, left: 1, right: 3, out: 5 } as const;
const wordsOfInstruction = 7;

/** What a segment computes element by element, as the kernel reads it; the steps that run the segment share it. */
export class InstructionList {
  readonly kernels: RankKernels;
  readonly #words: Uint32Array;
  /** Indices of words that take the address of an input, by input; likewise of an output. */
  readonly #inputs: number[][];
  readonly #outputs: number[][];

  private constructor(kernels: RankKernels, plan: Elementwise, inputs: number, room: Float32Array) {
    const { instructions, outputs } = plan;
    this.kernels = kernels;
    this.#inputs = Array.from({ length: inputs }, () => []);
    this.#outputs = outputs.map(() => []);
    const length = instructions.length * wordsOfInstruction;
    const words = new Uint32Array(room.buffer, room.byteOffset, length);
    this.#words = words;
    // Behind the instructions, whole lines of the cache: what they make for one another, and constants.
    let next = linesOf(length);
    const takeChunk = (content = 0): number => {
      next += chunk;
      return room.subarray(next - chunk, next).fill(content).byteOffset;
    };
    const between = new Map<number, number>();
    const placeValue = (at: number, value: number): void => {
      const addressedLater = this.#inputs[value] ?? this.#outputs[outputs.indexOf(value)];
      if (addressedLater === undefined) {
        const address = between.get(value) ?? takeChunk();
        between.set(value, address);
        words[at] = address;
        return;
      }
      addressedLater.push(at);
      words[at + 1] = 1;
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
   * @param inputs how many the segment has
   * @returns undefined where there is no room
   */
  static open(kernels: RankKernels, plan: Elementwise, inputs: number): InstructionList | undefined {
    const { length } = plan.instructions;
    const constants = plan.instructions
      .flatMap(({ operands }) => operands)
      .filter((one) => "constant" in one);
    const room = kernels.memory.floats(
      linesOf(length * wordsOfInstruction) + (constants.length + length) * chunk,
    );
    return room && new InstructionList(kernels, plan, inputs, room);
  }

  /**
   * @param inputs addresses, multiples of 16; likewise of outputs
   * @param count of floats of each; whole vectors of four are read and written
   */
  run(inputs: readonly number[], outputs: readonly number[], count: number): void {
    for (const [words, addresses] of [
      [this.#inputs, inputs],
      [this.#outputs, outputs],
    ] as const) {
      for (const [which, places] of words.entries())
        for (const at of places) this.#words[at] = addresses[which]!;
    }
    const first = this.#words.byteOffset;
    this.kernels.elementwise(first, first + this.#words.byteLength, count);
  }
}

/** So many words, in whole lines of the cache. */
function linesOf(words: number): number {
  return Math.ceil(words / 16) * 16;
}
