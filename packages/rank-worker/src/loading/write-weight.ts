import { closeSync, openSync, writeSync } from "node:fs";
import { bytesOf, rowPieces, type ShardReader, type WeightShard } from "@ringrank/model/weights";

/**
 * Bytes that are copied at a time. Every rank has a buffer of this size, and the reader's own, at the peak of a load.
 */
export const pieceBytes = 2 * 1024 * 1024;

/** Copies and converts shards from the model's files into files of their own, through one small buffer. */
export class WeightWriter {
  readonly #reader: ShardReader;
  readonly #piece = new Uint8Array(pieceBytes);

  constructor(reader: ShardReader) {
    this.#reader = reader;
  }

  /**
   * Writes a shard's elements, row-major, to a new file, or at the end of a file that it has created.
   *
   * @param onPiece receives the bytes in order
   * @throws what {@link ShardReader.read} throws; the errors of node:fs if the file cannot be written
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

/**
 * Writes bytes to a new file.
 *
 * @throws the errors of node:fs
 */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  const descriptor = openNew(path);
  try {
    append(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
}

/** "wx" never follows a link that somebody else has put there. */
function openNew(path: string): number {
  return openSync(path, "wx", 0o600);
}

/** Node refuses to write 2 GiB at once. */
const longestWrite = 1 << 30;

function append(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, longestWrite));
}
