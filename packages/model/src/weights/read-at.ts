import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { RingrankError } from "@ringrank/errors";
import { type FileIdentity, identityOf } from "../files/file-identity.js";
import { pointerBytes, refusePointer } from "../files/git-lfs.js";
import { unreadable } from "../files/unreadable.js";
import { bytesOf } from "./element-types.js";

/** A file that is open for reading, as it was when it was opened. */
export interface OpenFile extends FileIdentity {
  readonly descriptor: number;
}

/** What {@link readAt} has read on this thread since it started. */
export interface ReadStatistics {
  readonly bytes: number;
  /** System calls. */
  readonly calls: number;
}

let bytes = 0;
let calls = 0;

export function readStatistics(): ReadStatistics {
  return { bytes, calls };
}

/** Linux ends a longer read early; Node refuses one of 2 GiB. */
const longestRead = 1 << 30;

/**
 * Fills all of `into` with the bytes of `file` from `position` on. Every byte of a model's weights, and of the
 * headers that describe them, is read here and counted.
 *
 * @throws RR_FILE_FORMAT if the file ends first: it is truncated, or changed since it was opened.
 */
export function readAt(file: OpenFile, into: ArrayBufferView, position: number): void {
  const target = bytesOf(into);
  let done = 0;
  while (done < target.length) {
    const count = readSync(
      file.descriptor,
      target,
      done,
      Math.min(longestRead, target.length - done),
      position + done,
    );
    calls++;
    bytes += count;
    done += count;
    if (count === 0) {
      throw new RingrankError(
        "RR_FILE_FORMAT",
        `${file.path}: expected ${target.length} bytes at offset ${position}, but the file ends after ${done}. ` +
          "It is truncated or was changed while open; download it again.",
      );
    }
  }
}

/**
 * Opens a regular file for {@link readAt}.
 *
 * @throws RR_MISSING_FILE if it does not exist or cannot be opened; RR_FILE_FORMAT if it is not a regular file, or a
 * pointer of Git LFS
 */
export function openFile(path: string): OpenFile {
  try {
    // Checked before opening, because opening a pipe waits for its writer.
    const stat = statSync(path);
    if (!stat.isFile()) throw new RingrankError("RR_FILE_FORMAT", `${path}: expected a regular file`);
    if (stat.size < pointerBytes) refusePointer(path, readFileSync(path));
    const descriptor = openSync(path, "r");
    return { ...identityOf(path, fstatSync(descriptor, { bigint: true })), descriptor };
  } catch (error) {
    throw unreadable(error);
  }
}

export function closeFile(file: OpenFile): void {
  closeSync(file.descriptor);
}
