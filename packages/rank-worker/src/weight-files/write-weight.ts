import { closeSync, openSync, writeSync } from "node:fs";
import { bytesOf, rowPieces, type ShardReader } from "@ringrank/model/weights";
import type { WeightShard } from "@ringrank/policy";

/**
 * Bytes that go from one file to the other at a time. Every rank has them, and the reader's own, at the peak of a load.
 */
export const pieceBytes = 2 * 1024 * 1024;

/** Copies shards from where the model has them into files of their own, converted, through one small buffer. */
export class WeightWriter {
  readonly #reader: ShardReader;
  readonly #piece = new ArrayBuffer(pieceBytes);

  constructor(reader: ShardReader) {
    this.#reader = reader;
  }

  /**
   * Puts a shard's elements, row-major, into a new file, or at the end of one that it has made.
   *
   * @param onPiece is shown the bytes in order
   * @throws what {@link ShardReader.read} throws; the errors of node:fs where the file cannot be written
   */
  write(
    shard: WeightShard,
    path: string,
    how: "new" | "append",
    onPiece: (bytes: Uint8Array) => void = () => {},
  ): void {
    // "wx": never through a link that somebody else has put there.
    const descriptor = openSync(path, how === "new" ? "wx" : "a", 0o600);
    try {
      for (const piece of rowPieces(shard, pieceBytes)) {
        const bytes = bytesOf(this.#reader.read(piece, this.#piece));
        onPiece(bytes);
        for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
      }
    } finally {
      closeSync(descriptor);
    }
  }
}
