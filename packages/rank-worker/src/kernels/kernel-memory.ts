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
    return this.#floatsAt(this.#take(count * 4), count);
  }

  /**
   * Allocates rows of floats in this memory while there is room, and everything else outside of it. They begin with a
   * page of the system's, as tiles of rows then do too (assembly/attention/eight-queries/layout.ts).
   */
  allocate(type: DataType, count: number): TensorData {
    const floats =
      type === "float32" ? this.#floatsAt(this.#take(count * 4, systemPageBytes), count) : undefined;
    return floats?.fill(0) ?? allocate(type, count);
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

  #floatsAt(start: number | undefined, count: number): Float32Array | undefined {
    return start === undefined ? undefined : this.#floats.subarray(start / 4, start / 4 + count);
  }

  /** Takes this many bytes, in whole cache lines, and returns their address, a multiple of `alignment`. */
  #take(count: number, alignment = lineBytes): number | undefined {
    const bytes = Math.max(lineBytes, wholeLines(count));
    const aligned = (address: number) => Math.ceil(address / alignment) * alignment;
    const at = this.#free.findIndex(({ start, end }) => end - aligned(start) >= bytes);
    const range = this.#free[at];
    if (range === undefined) return undefined;
    const start = aligned(range.start);
    const left = [
      { start: range.start, end: start },
      { start: start + bytes, end: range.end },
    ];
    this.#free.splice(at, 1, ...left.filter((one) => one.start < one.end));
    this.#taken.set(start, bytes);
    return start;
  }
}

/** Bytes of a page of virtual memory on most systems; WebAssembly's pages are larger. */
const systemPageBytes = 4096;

/** Before it lie the constants of kernels (`memory.data` in assembly/), from byte 1024 on. */
const firstByte = 2048;

/** All that 32-bit addresses can reach. */
const mostPages = 2 ** 32 / pageBytes;
