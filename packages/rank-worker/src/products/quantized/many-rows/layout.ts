import { wholeLines } from "../../../kernels/cache-line.js";

type Place<T> = (memory: Float32Array) => T;

export interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/**
 * Lays out arrays in one range of memory, which is allocated once all of them are known. Each is aligned to a cache
 * line.
 */
export class Layout {
  #bytes = 0;

  /** The total size in floats. */
  get floats(): number {
    return this.#bytes / 4;
  }

  /** @returns a function that locates the array in the range */
  place<T>(Type: ArrayType<T>, length: number): Place<T> {
    const at = this.#bytes;
    this.#bytes += wholeLines(length * Type.BYTES_PER_ELEMENT);
    return ({ buffer, byteOffset }) => new Type(buffer, byteOffset + at, length);
  }
}
