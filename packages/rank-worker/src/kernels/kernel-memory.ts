import type { DataType, TensorData } from "@ringrank/model";
import { allocate } from "@ringrank/model/weights";
import { type LocalMemory, localMemory, pageBytes } from "@ringrank/webassembly";
import type { CacheMemory } from "../cache/cache-memory.js";
import { lineBytes, wholeLines } from "./cache-line.js";

/**
 * Memory that both sessions and a WebAssembly kernel see: a view on it can be a tensor, so what lies here is copied to
 * neither. It is as large as its addresses reach, and cannot grow, since growing would detach the tensors on it; what
 * is not used takes no room but addresses.
 */
export class KernelMemory implements CacheMemory {
  readonly memory: LocalMemory;
  /** Asking the memory for it is a call into the engine, and it is compared with in every layer. */
  readonly #buffer: ArrayBuffer;
  readonly #floats: Float32Array;
  /** Free ranges of bytes, in increasing order, never adjacent. */
  #free: { start: number; end: number }[];
  readonly #taken = new Map<number, number>();

  /** @throws RR_ADDRESS_SPACE where the system does not give so many addresses */
  constructor(pages = mostPages) {
    this.memory = localMemory(pages * pageBytes);
    this.#buffer = this.memory.buffer;
    this.#floats = new Float32Array(this.#buffer);
    // Nothing lies at address 0, nor at the end: of 4 GiB, the address behind it would be 0 again, where loops end.
    this.#free = [{ start: lineBytes, end: this.#buffer.byteLength - lineBytes }];
  }

  /** Bytes that nobody has taken, wherever they lie. */
  get bytesFree(): number {
    return this.#free.reduce((bytes, { start, end }) => bytes + end - start, 0);
  }

  /** Zeros, or undefined where no room is left. */
  floats(count: number): Float32Array | undefined {
    return this.unclearedFloats(count)?.fill(0);
  }

  /** Likewise, from the beginning of a cache line on; what lies there, nobody has cleared. */
  bytes(count: number): Uint8Array | undefined {
    const start = this.#take(count);
    return start === undefined ? undefined : new Uint8Array(this.#buffer, start, count);
  }

  /** Likewise, as floats. */
  unclearedFloats(count: number): Float32Array | undefined {
    const start = this.#take(count * 4);
    return start === undefined ? undefined : this.#floats.subarray(start / 4, start / 4 + count);
  }

  /** Float rows lie in this memory while there is room, all else elsewhere. */
  allocate(type: DataType, count: number): TensorData {
    const floats = type === "float32" ? this.floats(count) : undefined;
    return floats ?? allocate(type, count);
  }

  release(data: TensorData): void {
    const start = data.byteOffset;
    const bytes = this.holds(data) ? this.#taken.get(start) : undefined;
    if (bytes === undefined) return;
    this.#taken.delete(start);
    const after = this.#free.findIndex((range) => range.start > start);
    this.#free.splice(after === -1 ? this.#free.length : after, 0, { start, end: start + bytes });
    this.#free = this.#free.reduce<{ start: number; end: number }[]>((merged, range) => {
      const last = merged.at(-1);
      if (last?.end === range.start) last.end = range.end;
      else merged.push(range);
      return merged;
    }, []);
  }

  holds(data: TensorData): boolean {
    return data.buffer === this.#buffer;
  }

  /** Address of what was taken: so many bytes, in whole lines of the caches. */
  #take(count: number): number | undefined {
    const bytes = Math.max(lineBytes, wholeLines(count));
    const range = this.#free.find(({ start, end }) => end - start >= bytes);
    if (range === undefined) return undefined;
    const { start } = range;
    range.start += bytes;
    this.#free = this.#free.filter((one) => one.start < one.end);
    this.#taken.set(start, bytes);
    return start;
  }
}

/** All that 32-bit addresses reach. */
const mostPages = 2 ** 32 / pageBytes;
