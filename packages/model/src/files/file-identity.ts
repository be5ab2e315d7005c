import { type BigIntStats, statSync } from "node:fs";
import { RingrankError } from "@ringrank/errors";
import { unreadable } from "./unreadable.js";

/** What distinguishes a file from an earlier version of it, or from a file that has replaced it. Plain data. */
export interface FileIdentity {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly modifiedNs: bigint;
  readonly inode: bigint;
}

/** @param stat the stat of the file at `path`, or of a descriptor that is open for it */
export function identityOf(path: string, stat: BigIntStats): FileIdentity {
  return { path, size: Number(stat.size), modifiedNs: stat.mtimeNs, inode: stat.ino };
}

/** Only the identity, from an object that has more fields, such as an open file. */
export function identityAlone({ path, size, modifiedNs, inode }: FileIdentity): FileIdentity {
  return { path, size, modifiedNs, inode };
}

/** @throws RR_MISSING_FILE */
export function fileIdentity(path: string): FileIdentity {
  try {
    return identityOf(path, statSync(path, { bigint: true }));
  } catch (error) {
    throw unreadable(error);
  }
}

/**
 * Checks that each file is the one that was opened, because its header determined where weights are.
 *
 * @throws RR_FILE_FORMAT
 */
export function requireUnchanged(files: readonly FileIdentity[]): void {
  for (const { path, size, modifiedNs, inode } of files) {
    const now = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (now?.mtimeNs === modifiedNs && now.ino === inode && now.size === BigInt(size)) continue;
    throw new RingrankError(
      "RR_FILE_FORMAT",
      `${path} was changed or removed since the model was opened; open the model again`,
    );
  }
}
