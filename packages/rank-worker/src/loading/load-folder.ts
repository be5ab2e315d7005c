import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

const prefix = `ringrank-load-${hostname()}-`;

/**
 * Creates a folder for one load by this process, accessible to its owner only.
 *
 * @returns its real path
 */
export function makeLoadFolder(place: string): string {
  return realpathSync(mkdtempSync(join(place, `${prefix}${process.pid}-`)));
}

/** Removes the folders of processes of this machine that were killed while they loaded. */
export function removeAbandonedLoads(place: string): void {
  for (const name of readdirSync(place)) {
    const pid = loaderOf(name);
    if (pid !== undefined && !isRunning(pid)) removeIfPossible(join(place, name));
  }
}

/**
 * Removes a file or a folder, for a load that can continue without that. If it cannot be removed now, because it is
 * another user's, or a mapped file on Windows or NFS, a later load removes it.
 */
export function removeIfPossible(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // No reason for a load to fail.
  }
}

/**
 * The process that created a folder with this name on this machine. A cache may be shared with other machines whose
 * names start like this one's: `node` and `node-7`.
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
