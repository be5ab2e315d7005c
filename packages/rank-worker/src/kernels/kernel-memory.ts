import type { DataType, TensorData } from "@ringrank/model";
import { allocate } from "@ringrank/model/weights";
import { type LocalMemory, localMemory, pageBytes } from "@ringrank/webassembly";
import type { CacheMemory } from "../cache/cache-memory.js";
import { lineBytes, wholeLines } from "./cache-line.js";

/**
 * Memory that both sessions and WebAssembly kernels can access: a view on it can be a tensor, so its contents are
 * copied for neither. It is as large as 32-bit addresses allow, and cannot grow, because growing would detach the
 * tensors on it. Unused parts only take address space.
 */
export class KernelMemory implements CacheMemory {
  readonly memory: LocalMemory;
  /** Cached because reading it from the memory is a call into the engine, and it is compared in every layer. */
  readonly #buffer: ArrayBuffer;
  readonly #floats: Float32Array;
  /** Free ranges of bytes, in increasing order, never adjacent. */
  #free: { start: number; end: number }[];
  readonly #taken = new Map<number, number>();

  /** @throws RR_ADDRESS_SPACE if the system does not provide enough address space */
  constructor(pages = mostPages) {
    this.memory = localMemory(pages * pageBytes);
    this.#buffer = this.memory.buffer;
    this.#floats = new Float32Array(this.#buffer);
    // Nothing is placed at address 0 or at the end: with 4 GiB, the address after the end would be 0 again, and loops
    // end there.
    this.#free = [{ start: firstByte, end: this.#buffer.byteLength - lineBytes }];
  }

  /** The number of free bytes, anywhere. */
  get bytesFree(): number {
    return this.#free.reduce((bytes, { start, end }) => bytes + end - start, 0);
  }

  /** Allocates zeros; undefined if there is no room. */
  floats(count: number): Float32Array | undefined {
    return this.unclearedFloats(count)?.fill(0);
  }

  /** Allocates bytes that are aligned to a cache line and not cleared; undefined if there is no room. */
  bytes(count: number): Uint8Array | undefined {
    const start = this.#take(count);
    return start === undefined ? undefined : new Uint8Array(this.#buffer, start, count);
  }

  /** Allocates floats in the same way. */
  unclearedFloats(count: number): Float32Array | undefined {
    const start = this.#take(count * 4);
    return start === undefined ? undefined : this.#floats.subarray(start / 4, start / 4 + count);
  }

  /** Allocates rows of floats in this memory while there is room, and everything else outside of it. */
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

  /** Takes this many bytes, in whole cache lines, and returns their address. */
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

/** Before it lie the constants of kernels (`memory.data` in assembly/), from byte 1024 on. */
const firstByte = 2048;

/** All that 32-bit addresses can reach. */
const mostPages = 2 ** 32 / pageBytes;
