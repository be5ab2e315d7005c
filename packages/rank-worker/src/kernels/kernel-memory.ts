import type { DataType, TensorData } from "@ringrank/model";
import { type LocalMemory, localMemory, pageBytes } from "@ringrank/webassembly";
import { type CacheMemory, ordinaryMemory } from "../cache/cache-memory.js";

/** Bytes. What is taken is given out in cache lines. */
const line = 64;

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
    // Nothing lies at address 0.
    this.#free = [{ start: line, end: this.#buffer.byteLength }];
  }

  /** Zeros, or undefined where no room is left. */
  floats(count: number): Float32Array | undefined {
    const bytes = Math.max(line, Math.ceil((count * 4) / line) * line);
    const range = this.#free.find(({ start, end }) => end - start >= bytes);
    if (range === undefined) return undefined;
    const { start } = range;
    range.start += bytes;
    this.#free = this.#free.filter((one) => one.start < one.end);
    this.#taken.set(start, bytes);
    return this.#floats.subarray(start / 4, start / 4 + count).fill(0);
  }

  /** Float rows lie in this memory while there is room, all else elsewhere. */
  allocate(type: DataType, count: number): TensorData {
    const floats = type === "float32" ? this.floats(count) : undefined;
    return floats ?? ordinaryMemory.allocate(type, count);
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
}

/** All that 32-bit addresses reach. */
const mostPages = 2 ** 32 / pageBytes;
