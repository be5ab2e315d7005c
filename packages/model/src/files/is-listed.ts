import { lstatSync } from "node:fs";
import { unreadable } from "./unreadable.js";

/**
 * Whether a directory has an entry with this name, even a link to a file that is not there, as a hub's cache has after
 * its blobs were removed: reading that is an error, where a model without such a file might be another model.
 *
 * @throws RR_MISSING_FILE if the system does not tell
 */
export function isListed(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // What should be the directory is a file.
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
    throw unreadable(error);
  }
}
