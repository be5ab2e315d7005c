import { RingrankError } from "@ringrank/errors";

const beginning = Buffer.from("version https://git-lfs.github.com/spec/");

/** The size in bytes below which a file may be a pointer. */
export const pointerBytes = 1024;

/**
 * Refuses the three lines of text that a clone has in place of a large file if Git LFS is not installed
 * (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). Read as weights or JSON, they would look corrupt.
 *
 * @param bytes the file, or its first ones
 * @throws RR_FILE_FORMAT
 */
export function refusePointer(path: string, bytes: Uint8Array): void {
  if (!beginning.equals(bytes.subarray(0, beginning.length))) return;
  throw new RingrankError(
    "RR_FILE_FORMAT",
    `${path}: expected the file itself, got a pointer of Git LFS to it; run "git lfs pull" there, or download it again`,
  );
}
