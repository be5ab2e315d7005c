import { callable, type KernelCall } from "./kernel-call.js";
import type { RankKernels } from "./rank-kernels.js";

/** 32-bit words of a call, as in assembly/calls.ts. */
const wordsOfCall = 16;

/** The argument of `normalize` that is not an integer. */
const epsilonOfNormalize = 6;

/** Kernel calls in the kernels' memory, where a single call from JavaScript makes all of them. */
export class CallList {
  readonly #kernels: RankKernels;
  readonly #room: Float32Array;
  readonly #end: number;

  private constructor(kernels: RankKernels, calls: readonly KernelCall[], room: Float32Array) {
    this.#kernels = kernels;
    this.#room = room;
    this.#end = room.byteOffset + room.byteLength;
    const words = new Uint32Array(room.buffer, room.byteOffset, room.length);
    for (const [index, { kernel, args }] of calls.entries()) {
      const at = index * wordsOfCall;
      words[at] = callable.indexOf(kernel);
      words.set(args.map(Number), at + 1);
      if (kernel === "normalize") room[at + 1 + epsilonOfNormalize] = args[epsilonOfNormalize] as number;
    }
  }

  /** Returns undefined if there is no room. */
  static open(kernels: RankKernels, calls: readonly KernelCall[]): CallList | undefined {
    const room = kernels.memory.floats(calls.length * wordsOfCall);
    return room && new CallList(kernels, calls, room);
  }

  /** Makes the calls, in order. */
  run(): void {
    this.#kernels.makeCalls(this.#room.byteOffset, this.#end);
  }

  /** The list cannot be used afterwards. */
  release(): void {
    this.#kernels.memory.release(this.#room);
  }
}
