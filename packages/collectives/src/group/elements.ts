import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import type { ElementType, Kernels, MoveKernel, ReduceKernel } from "../kernels/kernels.js";
import type { GroupMemory } from "./group-memory.js";
import { scratchLength } from "./layout.js";

/**
 * One rank's hold on the group's memory as elements of one type: local arrays go in and come out, kernels reduce
 * inside. A kernel sees nothing but this memory, so what it is to reduce is put there first.
 *
 * The engine copies between a local array and a shared one eight bytes at a time where both start at the same
 * offset within eight bytes, and byte by byte, ten times slower, where they do not. Elements have four bytes, so
 * every other pair of starts would be slow. Those go by way of a staging block, which starts as the local array
 * does, and from there by {@link MoveKernel}, which does not care.
 */
export class Elements<T extends CollectiveArray> {
  /** The whole memory; indices count its elements. */
  readonly all: T;
  readonly reduce: Readonly<Record<ReduceOperation, ReduceKernel>>;
  readonly move: MoveKernel;
  readonly #scratch: number;
  readonly #staging: number;

  /** `type` is T's. */
  constructor(memory: GroupMemory, rank: number, type: ElementType, kernels: Kernels) {
    this.all = (type === "float32" ? memory.floats : memory.words) as CollectiveArray as T;
    this.reduce = kernels[type];
    this.move = kernels.move;
    this.#scratch = memory.layout.scratch(rank);
    this.#staging = memory.layout.staging(rank);
  }

  /** This rank's room for {@link scratchLength} results on their way to `data` at `start`: as aligned as they. */
  scratchFor(data: T, start: number): number {
    return this.#scratch + offsetInPair(data, start);
  }

  /** `data[start + i]` goes to index `at + i`, for `i < length`. */
  put(at: number, data: T, start: number, length: number): void {
    if (isDirect(at, data, start, length)) {
      copy(this.all, at, data, start, length);
      return;
    }
    const staging = this.#staging + offsetInPair(data, start);
    for (let done = 0; done < length; done += scratchLength) {
      const count = Math.min(scratchLength, length - done);
      copy(this.all, staging, data, start + done, count);
      this.move(at + done, staging, count);
    }
  }

  /** What lies at index `at + i` goes to `data[start + i]`, for `i < length`. */
  take(data: T, start: number, at: number, length: number): void {
    if (isDirect(at, data, start, length)) {
      copy(data, start, this.all, at, length);
      return;
    }
    const staging = this.#staging + offsetInPair(data, start);
    for (let done = 0; done < length; done += scratchLength) {
      const count = Math.min(scratchLength, length - done);
      this.move(staging, at + done, count);
      copy(data, start + done, this.all, staging, count);
    }
  }
}

/** Making a subarray, or a second copy, costs more than moving a few elements. */
const few = 64;

function isDirect(at: number, data: CollectiveArray, start: number, length: number): boolean {
  return length <= few || (at & 1) === offsetInPair(data, start);
}

/** 1 where `data[start]` lies in the second half of eight bytes, else 0. */
function offsetInPair(data: CollectiveArray, start: number): number {
  return ((data.byteOffset >>> 2) + start) & 1;
}

function copy<T extends CollectiveArray>(out: T, at: number, from: T, start: number, length: number): void {
  if (length <= few) for (let i = 0; i < length; i++) out[at + i] = from[start + i]!;
  else if (length === from.length) out.set(from, at);
  else out.set(from.subarray(start, start + length), at);
}
