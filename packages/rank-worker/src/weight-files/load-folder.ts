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
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (Number.isNaN(pid) || isRunning(pid)) continue;
    try {
      rmSync(join(place, name), { recursive: true, force: true });
    } catch {
      // Another user's.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
