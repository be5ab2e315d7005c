import { readFileSync, statSync } from "node:fs";
import { RingrankError } from "@ringrank/errors";
import { refusePointer } from "./git-lfs.js";
import { unreadable } from "./unreadable.js";

/**
 * The bytes of a file that should be small. Anything but a regular file is refused before it is opened: opening a pipe
 * waits for its writer, and some devices never end.
 *
 * @param content what it should contain, for errors
 * @throws RR_MISSING_FILE if it does not exist or cannot be read; RR_FILE_FORMAT if it is too large, is not a regular
 * file, or is a pointer of Git LFS
 */
export function readFile(file: string, maxBytes: number, content: string): Uint8Array {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw new RingrankError("RR_FILE_FORMAT", `${file}: expected a regular file`);
    if (stat.size > maxBytes) {
      throw new RingrankError(
        "RR_FILE_FORMAT",
        `${file}: expected at most ${maxBytes} bytes of ${content}, got ${stat.size}`,
      );
    }
    const bytes = readFileSync(file);
    refusePointer(file, bytes);
    return bytes;
  } catch (error) {
    throw unreadable(error);
  }
}

/**
 * The text that `bytes` encode in UTF-8, without a byte order mark.
 *
 * @param where names them in errors
 * @param content what they should be, for errors
 * @throws RR_FILE_FORMAT
 */
export function decodeUtf8(bytes: Uint8Array, where: string, content: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RingrankError("RR_FILE_FORMAT", `${where}: expected ${content} in UTF-8, got other bytes`, {
      cause,
    });
  }
}
