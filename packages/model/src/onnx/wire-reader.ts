import { RingrankError } from "@ringrank/errors";
import { type OpenFile, readAt } from "../weights/read-at.js";

/** How a field's value is laid out: https://protobuf.dev/programming-guides/encoding/#structure */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** The location of a field in a file; offsets in bytes. */
export interface WireField {
  readonly number: number;
  readonly wire: number;
  /** Of the tag. */
  readonly from: number;
  /** Start of the value: for `bytes`, after its length. */
  readonly start: number;
  readonly end: number;
}

const windowBytes = 4096;

/**
 * Walks over protobuf fields in a file without reading their contents: it skips them by their lengths, so the gigabytes
 * of a weight cost nothing.
 */
export class WireReader {
  readonly file: OpenFile;
  readonly #window = new Uint8Array(windowBytes);
  #windowStart = 0;
  #windowEnd = 0;

  constructor(file: OpenFile) {
    this.file = file;
  }

  /**
   * The fields of the message in `[start, end)`, in order.
   *
   * @throws RR_FILE_FORMAT if a field does not end inside the message
   */
  *fields(start: number, end: number): Generator<WireField> {
    let at = start;
    while (at < end) {
      const tag = this.varint(at, end);
      const wire = tag.value & 7;
      const number = Math.floor(tag.value / 8);
      let from = tag.end;
      let to: number;
      if (wire === wireType.varint) to = this.varint(from, end).end;
      else if (wire === wireType.fixed64) to = from + 8;
      else if (wire === wireType.fixed32) to = from + 4;
      else if (wire === wireType.bytes) {
        const length = this.varint(from, end);
        from = length.end;
        to = from + length.value;
      } else throw this.malformed(at, `a field of wire type ${wire}`);
      if (number === 0 || to > end) {
        throw this.malformed(
          at,
          `field ${number}, which ends at byte ${to}, beyond the end of its message, ${end}`,
        );
      }
      yield { number, wire, from: at, start: from, end: to };
      at = to;
    }
  }

  /** A copy of the bytes in `[start, end)`. */
  bytes(start: number, end: number): Uint8Array {
    const copy = new Uint8Array(end - start);
    readAt(this.file, copy, start);
    return copy;
  }

  /** The number at `at`. Beyond 2^53 it is rounded, but still larger than any file. */
  varint(at: number, limit: number): { readonly value: number; readonly end: number } {
    let value = 0;
    let scale = 1;
    for (let position = at; position < Math.min(limit, at + 10); position++) {
      const byte = this.#byte(position);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return { value, end: position + 1 };
      scale *= 128;
    }
    throw this.malformed(at, "a number that does not end");
  }

  malformed(at: number, what: string): RingrankError {
    return new RingrankError(
      "RR_FILE_FORMAT",
      `${this.file.path}: expected an ONNX model, got ${what} at byte ${at}. It is truncated, or not an ONNX file`,
    );
  }

  #byte(position: number): number {
    if (position < this.#windowStart || position >= this.#windowEnd) {
      this.#windowStart = position;
      this.#windowEnd = Math.min(position + windowBytes, this.file.size);
      readAt(this.file, this.#window.subarray(0, this.#windowEnd - position), position);
    }
    return this.#window[position - this.#windowStart]!;
  }
}
