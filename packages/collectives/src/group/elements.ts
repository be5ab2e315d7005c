import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import type { ElementType, Kernels, MoveKernel, OfferKernel, ReduceKernel } from "../kernels/kernels.js";
import type { GroupMemory } from "./group-memory.js";
import { slotLength } from "./layout.js";

/**
 * One rank's hold on the group's memory as elements of one type: local arrays go in and come out, kernels reduce
 * inside. A kernel sees nothing but this memory, so what it is to reduce is put there first, into a block that only
 * this rank looks at.
 *
 * What others are to read goes to a window. Where this rank reads it too, {@link stage} and {@link move} leave it a
 * copy of its own, in its own cache, while others pull at the window; and kernels are better at writing lines that
 * another core has read, see assembly/lines.ts. Where it does not, {@link put} saves the second pass.
 *
 * `set` copies between local and shared arrays by words of 8 bytes, or by bytes where the two do not start at the same
 * offset within a word. Node's `fill`, given bytes, is a memcpy, and Buffers may lie in shared memory. glibc's memcpy
 * has an unlucky place, see layout.ts.
 *
 * No length exceeds a window's.
 */
export class Elements<T extends CollectiveArray> {
  /** The whole memory; indices count its elements. */
  readonly all: T;
  readonly reduce: Readonly<Record<ReduceOperation, ReduceKernel>>;
  readonly move: MoveKernel;
  readonly offer: OfferKernel;
  /** Index of this rank's result block. */
  readonly result: number;
  readonly #operand: number;
  readonly #bytes: Buffer;
  /**
   * Views on what was taken, by index, for the length that was taken last: collectives are repeated, and a view costs
   * as much as copying some kilobytes.
   */
  readonly #taken = new Map<number, Taken<T>>();
  /** The bytes of the last short local array, too. */
  #local: T | undefined;
  #localBytes: Uint8Array;

  /** `type` is T's. */
  constructor(memory: GroupMemory, rank: number, type: ElementType, kernels: Kernels) {
    this.all = (type === "float32" ? memory.floats : memory.words) as CollectiveArray as T;
    this.reduce = kernels[type];
    this.move = kernels.move;
    this.offer = kernels.offer;
    this.#operand = memory.layout.operand(rank);
    this.result = memory.layout.result(rank);
    this.#bytes = Buffer.from(this.all.buffer);
    this.#localBytes = this.#bytes.subarray(0, 0);
  }

  /** Puts `data[start + i]`, for `i < length`, into this rank's operand block, and returns where. */
  stage(data: T, start: number, length: number): number {
    this.put(this.#operand, data, start, length);
    return this.#operand;
  }

  /** Puts `data[start + i]`, for `i < length`, at index `at + i`. */
  put(at: number, data: T, start: number, length: number): void {
    if (length <= few) copyFew(this.all, at, data, start, length);
    else if (length < many) this.all.set(partOf(data, start, length), at);
    else this.#bytes.fill(this.#bytesOf(data, start, length), at * 4, (at + length) * 4);
  }

  /** What lies at index `at + i` goes to `data[start + i]`, for `i < length`. */
  take(data: T, start: number, at: number, length: number): void {
    if (length <= few) {
      copyFew(data, start, this.all, at, length);
      return;
    }
    const { elements, bytes } = this.#viewOf(at, length);
    if (length < many) data.set(elements, start);
    else fill.call(this.#bytesOf(data, start, length), bytes);
  }

  #bytesOf(data: T, start: number, length: number): Uint8Array {
    // A long one is not kept from being collected.
    if (length !== data.length || length > slotLength) return bytesOf(data, start, length);
    // An array on a buffer that is resized grows and shrinks with it.
    if (this.#local !== data || this.#localBytes.length !== length * 4) {
      this.#local = data;
      this.#localBytes = bytesOf(data, start, length);
    }
    return this.#localBytes;
  }

  #viewOf(at: number, length: number): Taken<T> {
    const known = this.#taken.get(at);
    if (known !== undefined && known.elements.length === length) return known;
    const end = at + length;
    const made = {
      elements: this.all.subarray(at, end) as T,
      bytes: this.#bytes.subarray(at * 4, end * 4),
    };
    this.#taken.set(at, made);
    return made;
  }
}

interface Taken<T extends CollectiveArray> {
  readonly elements: T;
  readonly bytes: Uint8Array;
}

/** Making a subarray costs more than moving a few elements. */
const few = 64;
/** From here on `fill` takes no longer than `set`. */
const many = 384;

const { fill } = Buffer.prototype;

function copyFew<T extends CollectiveArray>(
  out: T,
  at: number,
  from: T,
  start: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) out[at + i] = from[start + i]!;
}

function partOf<T extends CollectiveArray>(data: T, start: number, length: number): T {
  return length === data.length ? data : (data.subarray(start, start + length) as T);
}

function bytesOf(data: CollectiveArray, start: number, length: number): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset + start * 4, length * 4);
}
