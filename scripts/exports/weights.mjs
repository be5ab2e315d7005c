// What an export and its checkpoint have in common: the bytes of the checkpoint's weights in fp32.
import { readFileSync } from "node:fs";

/**
 * @typedef {object} SharedWeight bytes of an export that its checkpoint also contains
 * @property {number} at their byte offset in the export
 * @property {string[]} tensors the checkpoint's tensors, concatenated along their first axis
 * @property {boolean} [transposed] whether the export stores the matrix transposed
 */

/** A safetensors file whose tensors are read as fp32 bytes. */
export class Checkpoint {
  #bytes;
  #start;
  /** @type {Record<string, { dtype: string, shape: number[], data_offsets: [number, number] }>} */
  #tensors;

  constructor(path) {
    this.#bytes = readFileSync(path);
    this.#start = 8 + Number(this.#bytes.readBigUInt64LE(0));
    const { __metadata__: _, ...tensors } = JSON.parse(this.#bytes.toString("utf8", 8, this.#start));
    this.#tensors = tensors;
  }

  get names() {
    return Object.keys(this.#tensors).filter((name) => ["BF16", "F32"].includes(this.#tensors[name].dtype));
  }

  shape(name) {
    return this.#tensors[name].shape;
  }

  /** The bytes that a `SharedWeight` has in an export. */
  bytes({ tensors, transposed = false }) {
    const parts = tensors.map((name) => this.#fp32(name));
    const joined = new Uint32Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    const columns = this.shape(tensors[0]).at(-1);
    return Buffer.from((transposed ? transpose(joined, columns) : joined).buffer);
  }

  /** Bit patterns: bf16 is the upper half of fp32. */
  #fp32(name) {
    const { dtype, data_offsets: offsets } = this.#tensors[name];
    const [begin, end] = offsets.map((offset) => this.#start + offset);
    // A copy, since tensors may start at odd offsets.
    const { buffer } = new Uint8Array(this.#bytes.subarray(begin, end));
    return dtype === "F32"
      ? new Uint32Array(buffer)
      : Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
  }
}

function transpose(matrix, columns) {
  const rows = matrix.length / columns;
  return matrix.map((_, index) => matrix[(index % rows) * columns + Math.floor(index / rows)]);
}
