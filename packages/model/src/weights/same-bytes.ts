import { closeFile, type OpenFile, openFile, readAt } from "./read-at.js";

interface FileRange {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Bytes of each file that are compared at a time: two pieces stay in a core's own cache of 1 or 2 MiB. Comparing half a
 * GiB takes 117 ms this way, if the system has both files in memory, and 187 with 1 MiB (medians of 5 in turns, on the
 * Xeon).
 */
const pieceSize = 1 << 18;

/**
 * Whether two ranges of files have the same bytes; undefined if a file ends before its range does. Reads only as far as
 * they are equal.
 *
 * @throws RR_MISSING_FILE if a file cannot be opened
 */
export function sameBytes(a: FileRange, b: FileRange): boolean | undefined {
  if (a.bytes !== b.bytes) return false;
  if (a.file === b.file && a.offset === b.offset) return true;
  const fileOfA = openFile(a.file);
  try {
    const fileOfB = openFile(b.file);
    try {
      const isWhole = (file: OpenFile, range: FileRange): boolean => range.offset + range.bytes <= file.size;
      if (!isWhole(fileOfA, a) || !isWhole(fileOfB, b)) return undefined;
      const pieceOfA = new Uint8Array(Math.min(pieceSize, a.bytes));
      const pieceOfB = new Uint8Array(pieceOfA.length);
      for (let done = 0; done < a.bytes; done += pieceSize) {
        const length = Math.min(pieceSize, a.bytes - done);
        const [x, y] = [pieceOfA.subarray(0, length), pieceOfB.subarray(0, length)];
        readAt(fileOfA, x, a.offset + done);
        readAt(fileOfB, y, b.offset + done);
        if (Buffer.compare(x, y) !== 0) return false;
      }
      return true;
    } finally {
      closeFile(fileOfB);
    }
  } finally {
    closeFile(fileOfA);
  }
}
