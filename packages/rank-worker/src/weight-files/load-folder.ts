import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

const prefix = `ringrank-load-${hostname()}-`;

/** Makes a folder for one load by this process, for its owner alone. @returns its real path */
export function makeLoadFolder(place: string): string {
  return realpathSync(mkdtempSync(join(place, `${prefix}${process.pid}-`)));
}

/** Removes what processes of this machine left behind that were killed while they loaded. */
export function removeAbandonedLoads(place: string): void {
  for (const name of readdirSync(place)) {
    const pid = loaderOf(name);
    if (pid !== undefined && !isRunning(pid)) removeIfPossible(join(place, name));
  }
}

/**
 * Removes a file or a folder, for a load that goes on without. What cannot be removed now, such as another user's, or
 * files that are mapped, on Windows and NFS, a later load removes.
 */
export function removeIfPossible(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Not a reason for a load to fail.
  }
}

/**
 * The process that made a folder of such a name on this machine. A cache may be shared with others, whose names may
 * begin as this one's does: `node` and `node-7`.
 */
function loaderOf(name: string): number | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const [pid, random, ...more] = name.slice(prefix.length).split("-");
  return random !== undefined && more.length === 0 && /^[0-9]+$/.test(pid!) ? Number(pid) : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
