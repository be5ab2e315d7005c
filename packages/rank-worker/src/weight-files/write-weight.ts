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
  readonly #piece = new Uint8Array(pieceBytes);

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
    const descriptor = how === "new" ? openNew(path) : openSync(path, "a");
    try {
      for (const piece of rowPieces(shard, pieceBytes)) {
        const bytes = bytesOf(this.#reader.read(piece, this.#piece));
        onPiece(bytes);
        append(descriptor, bytes);
      }
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Puts bytes into a new file. @throws the errors of node:fs */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  const descriptor = openNew(path);
  try {
    append(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
}

/** "wx": never through a link that somebody else has put there. */
function openNew(path: string): number {
  return openSync(path, "wx", 0o600);
}

/** Node refuses to write 2 GiB at once. */
const longestWrite = 1 << 30;

function append(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, longestWrite));
}
