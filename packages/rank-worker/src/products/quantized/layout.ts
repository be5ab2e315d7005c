import { wholeLines } from "../../kernels/cache-line.js";

type Place<T> = (memory: Float32Array) => T;

export interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/**
 * Places of arrays in one stretch of memory, that is taken once all are known. Each begins with a line of the caches.
 */
export class Layout {
  #bytes = 0;

  /** How many floats all take. */
  get floats(): number {
    return this.#bytes / 4;
  }

  /** @returns finds the array in the stretch */
  place<T>(Type: ArrayType<T>, length: number): Place<T> {
    const at = this.#bytes;
    this.#bytes += wholeLines(length * Type.BYTES_PER_ELEMENT);
    return ({ buffer, byteOffset }) => new Type(buffer, byteOffset + at, length);
  }
}
