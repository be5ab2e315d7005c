import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import type {
  ElementType,
  Kernels,
  MoveKernel,
  OfferKernel,
  ReduceAllKernel,
  ReduceKernel,
} from "../kernels/kernels.js";
import type { GroupMemory } from "./group-memory.js";
import { slotLength } from "./layout.js";

/**
 * One rank's access to the group's memory as elements of one type. It copies local arrays in and out, and kernels
 * reduce inside. A kernel can only access this memory, so its operands are first copied to a block that only this rank
 * uses.
 *
 * Elements for other ranks go to a window. What is reduced is mostly staged first, and a kernel copies it from there
 * ({@link move}, {@link offer}), because kernels are faster at writing lines that another core has read, see
 * assembly/lines.ts. {@link put} writes to the window itself, which saves a pass.
 *
 * `set` copies between local and shared arrays in words of 8 bytes, or byte by byte if the two do not start at the same
 * offset within a word. Node's `fill`, given bytes, is a memcpy, and Buffers may lie in shared memory. glibc's memcpy
 * is slow at some alignments, see layout.ts.
 *
 * No length exceeds that of a window.
 */
export class Elements<T extends CollectiveArray> {
  /** The whole memory; indices count its elements. */
  readonly all: T;
  readonly reduce: Readonly<Record<ReduceOperation, ReduceKernel>>;
  readonly reduceAll: Readonly<Record<ReduceOperation, ReduceAllKernel>>;
  readonly move: MoveKernel;
  readonly offer: OfferKernel;
  /** Index of this rank's result block. */
  readonly result: number;
  readonly #operand: number;
  readonly #bytes: Buffer;
  /**
   * Views for `take`, by index, of the length used last: collectives repeat, and creating a view costs as much as
   * copying a few kilobytes.
   */
  readonly #taken = new Map<number, Taken<T>>();
  /** The last short local array, and its bytes. */
  #local: T | undefined;
  #localBytes: Uint8Array;

  /** `type` must match T. */
  constructor(memory: GroupMemory, rank: number, type: ElementType, kernels: Kernels) {
    this.all = (type === "float32" ? memory.floats : memory.words) as CollectiveArray as T;
    this.reduce = kernels[type];
    this.reduceAll = kernels.all[type];
    this.move = kernels.move;
    this.offer = kernels.offer;
    this.#operand = memory.layout.operand(rank);
    this.result = memory.layout.result(rank);
    this.#bytes = Buffer.from(this.all.buffer);
    this.#localBytes = this.#bytes.subarray(0, 0);
  }

  /** Copies `data[start + i]`, for `i < length`, to this rank's operand block, and returns the block's index. */
  stage(data: T, start: number, length: number): number {
    this.put(this.#operand, data, start, length);
    return this.#operand;
  }

  /** Copies `data[start + i]`, for `i < length`, to index `at + i`. */
  put(at: number, data: T, start: number, length: number): void {
    if (length <= few) copyFew(this.all, at, data, start, length);
    else if (length < many) this.all.set(partOf(data, start, length), at);
    else this.#bytes.fill(this.#bytesOf(data, start, length), at * 4, (at + length) * 4);
  }

  /** Copies the elements at index `at + i` to `data[start + i]`, for `i < length`. */
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
    // Does not keep a long array from being garbage-collected.
    if (length !== data.length || length > slotLength) return bytesOf(data, start, length);
    // An array on a resizable buffer grows and shrinks with it.
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

/** Creating a subarray costs more than moving this few elements. */
const few = 64;
/** From this length on, `fill` takes no longer than `set`. */
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
