import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import type { ElementType, Kernels, MoveKernel, ReduceKernel } from "../kernels/kernels.js";
import type { GroupMemory } from "./group-memory.js";

/**
 * One rank's hold on the group's memory as elements of one type: local arrays go in and come out, kernels reduce
 * inside. A kernel sees nothing but this memory, so what it is to reduce is put there first, into a block that only
 * this rank looks at. It reaches the window from there, for three reasons:
 *
 * - A core that writes lines which another has read waits until that one gives them up. The engine copies local
 *   arrays with narrow stores, which ask for few lines at once; {@link MoveKernel} has wide ones. It
 *   tells most between cores that share no cache.
 * - What this rank reduces or copies out next it has in its own cache, while the others pull at the window.
 * - Where a local and a shared array start at different offsets within eight bytes, the engine copies byte by byte.
 *   Elements have four bytes, so that is every other pair of starts. A block starts as the
 *   local array does, and {@link MoveKernel} does not care.
 *
 * No length exceeds a window's.
 */
export class Elements<T extends CollectiveArray> {
  /** The whole memory; indices count its elements. */
  readonly all: T;
  readonly reduce: Readonly<Record<ReduceOperation, ReduceKernel>>;
  readonly move: MoveKernel;
  readonly #operand: number;
  readonly #result: number;

  /** `type` is T's. */
  constructor(memory: GroupMemory, rank: number, type: ElementType, kernels: Kernels) {
    this.all = (type === "float32" ? memory.floats : memory.words) as CollectiveArray as T;
    this.reduce = kernels[type];
    this.move = kernels.move;
    this.#operand = memory.layout.operand(rank);
    this.#result = memory.layout.result(rank);
  }

  /** Puts `data[start + i]`, for `i < length`, into this rank's operand block, and returns where. */
  stage(data: T, start: number, length: number): number {
    const operand = this.operandFor(data, start);
    copy(this.all, operand, data, start, length);
    return operand;
  }

  /** The operand block's index for elements that come from or go to `data` at `start`. */
  operandFor(data: T, start: number): number {
    return this.#operand + offsetInPair(data, start);
  }

  /** The result block's index for elements that go to `data` at `start`. */
  resultFor(data: T, start: number): number {
    return this.#result + offsetInPair(data, start);
  }

  /** What lies at index `at + i` goes to `data[start + i]`, for `i < length`; maybe by way of the result block. */
  take(data: T, start: number, at: number, length: number): void {
    if (length <= few || (at & 1) === offsetInPair(data, start)) {
      copy(data, start, this.all, at, length);
      return;
    }
    const result = this.resultFor(data, start);
    this.move(result, at, length);
    copy(data, start, this.all, result, length);
  }
}

/** Making a subarray costs more than moving a few elements. */
const few = 64;

/** 1 where `data[start]` lies in the second half of eight bytes, else 0. */
function offsetInPair(data: CollectiveArray, start: number): number {
  return ((data.byteOffset >>> 2) + start) & 1;
}

function copy<T extends CollectiveArray>(out: T, at: number, from: T, start: number, length: number): void {
  if (length <= few) for (let i = 0; i < length; i++) out[at + i] = from[start + i]!;
  else if (length === from.length) out.set(from, at);
  else out.set(from.subarray(start, start + length), at);
}
