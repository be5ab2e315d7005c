import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import type {
  ElementType,
  Kernels,
  LinesKernel,
  MoveKernel,
  OfferKernel,
  ReduceKernel,
} from "../kernels/kernels.js";
import type { GroupMemory } from "./group-memory.js";

/**
 * One rank's hold on the group's memory as elements of one type: local arrays go in and come out, kernels reduce
 * inside. A kernel sees nothing but this memory, so what it is to reduce is put there first, into a block that only
 * this rank looks at.
 *
 * What others are to read goes to a window. Where this rank reads it too, {@link stage} and {@link move} leave it a
 * copy of its own, in its own cache, while others pull at the window; and kernels are better at writing lines that
 * another core has read, see assembly/lines.ts. Where it does not, {@link put} saves the second pass.
 *
 * Where a local and a shared array start at different offsets within eight bytes, the engine copies byte by byte.
 * Elements have four bytes, so that is every other pair of starts. A block starts as the local array does, and
 * {@link MoveKernel} does not care.
 *
 * The engine copies between local and shared arrays by words of 8 bytes. `Buffer.fill` would copy as memcpy does,
 * twice as fast where all is in cache, but memcpy is `rep movsb` from some size on, and where source and target lie at
 * nearly the same place of a page, some processors run that at 2 GB/s.
 *
 * No length exceeds a window's.
 */
export class Elements<T extends CollectiveArray> {
  /** The whole memory; indices count its elements. */
  readonly all: T;
  readonly reduce: Readonly<Record<ReduceOperation, ReduceKernel>>;
  readonly move: MoveKernel;
  readonly offer: OfferKernel;
  readonly reduceLines: Readonly<Record<ReduceOperation, LinesKernel>>;
  readonly #operand: number;
  readonly #result: number;
  /** What was taken last, since a collective is often repeated: a view costs as much as copying some kilobytes. */
  #taken: T;
  #takenAt = 0;

  /** `type` is T's. */
  constructor(memory: GroupMemory, rank: number, type: ElementType, kernels: Kernels) {
    this.all = (type === "float32" ? memory.floats : memory.words) as CollectiveArray as T;
    this.reduce = kernels[type];
    this.move = kernels.move;
    this.offer = kernels.lines.offer;
    this.reduceLines = kernels.lines[type];
    this.#operand = memory.layout.operand(rank);
    this.#result = memory.layout.result(rank);
    this.#taken = this.all.subarray(0, 0) as T;
  }

  /** Puts `data[start + i]`, for `i < length`, into this rank's operand block, and returns where. */
  stage(data: T, start: number, length: number): number {
    const operand = this.#operand + offsetInPair(data, start);
    copy(this.all, operand, data, start, length);
    return operand;
  }

  /** Puts `data[start + i]`, for `i < length`, at index `at + i`; maybe by way of the operand block. */
  put(at: number, data: T, start: number, length: number): void {
    if (length <= few || (at & 1) === offsetInPair(data, start)) copy(this.all, at, data, start, length);
    else this.move(at, this.stage(data, start, length), length);
  }

  /** The result block's index for elements that go to `data` at `start`. */
  resultFor(data: T, start: number): number {
    return this.#result + offsetInPair(data, start);
  }

  /** What lies at index `at + i` goes to `data[start + i]`, for `i < length`; maybe by way of the result block. */
  take(data: T, start: number, at: number, length: number): void {
    if (length <= few || (at & 1) === offsetInPair(data, start)) {
      this.#copyOut(data, start, at, length);
    } else {
      const result = this.resultFor(data, start);
      this.move(result, at, length);
      this.#copyOut(data, start, result, length);
    }
  }

  /** What lies at `at + i` goes to `data[start + i]`, which starts at the same offset within eight bytes. */
  #copyOut(data: T, start: number, at: number, length: number): void {
    if (length <= few) {
      copy(data, start, this.all, at, length);
      return;
    }
    if (this.#takenAt !== at || this.#taken.length !== length) {
      this.#takenAt = at;
      this.#taken = this.all.subarray(at, at + length) as T;
    }
    data.set(this.#taken, start);
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
