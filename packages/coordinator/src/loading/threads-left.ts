import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * How many more threads the system lets this process start, as far as it says so. Linux limits the threads of a control
 * group (a container's pids), and of a user (`ulimit -u`).
 *
 * @param root where the system's own files are
 * @returns infinity if nothing is known, as on other systems
 */
export function threadsLeft(root = "/"): number {
  return Math.min(leftToGroups(root), leftToUser(root));
}

/** The least of what the process's control group and those around it allow. */
function leftToGroups(root: string): number {
  const groups = textOf(root, "proc/self/cgroup") ?? "";
  let left = Number.POSITIVE_INFINITY;
  for (const [, controllers, path] of groups.matchAll(/^\d+:(.*?):(.*)$/gm)) {
    const isPids = controllers!.split(",").includes("pids");
    // The second version has one hierarchy, without names of controllers.
    if (controllers !== "" && !isPids) continue;
    const hierarchy = isPids ? "sys/fs/cgroup/pids" : "sys/fs/cgroup";
    const folders = path!.split("/").filter((name) => name !== "");
    // A container may see its own group as the first one, under a path that it does not have.
    for (let depth = folders.length; depth >= 0; depth--) {
      const folder = join(hierarchy, ...folders.slice(0, depth));
      const most = numberIn(textOf(root, join(folder, "pids.max")), /^(\d+)/);
      const now = numberIn(textOf(root, join(folder, "pids.current")), /^(\d+)/);
      if (most !== undefined && now !== undefined) left = Math.min(left, most - now);
    }
  }
  return left;
}

/** The capabilities that lift the limit: CAP_SYS_ADMIN and CAP_SYS_RESOURCE. */
const lifting = (1n << 21n) | (1n << 24n);

function leftToUser(root: string): number {
  const limits = textOf(root, "proc/self/limits");
  const most = numberIn(limits, /^Max processes +(\d+)/m);
  const self = textOf(root, "proc/self/status") ?? "";
  const user = userOf(self);
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(self)?.[1];
  const isLifted = capabilities !== undefined && (BigInt(`0x${capabilities}`) & lifting) !== 0n;
  if (most === undefined || user === undefined || isLifted) return Number.POSITIVE_INFINITY;
  const processes = readdirSync(join(root, "proc")).filter((name) => /^\d+$/.test(name));
  const statuses = processes.map((name) => textOf(root, join("proc", name, "status")) ?? "");
  const threads = statuses
    .filter((status) => userOf(status) === user)
    .map((status) => numberIn(status, /^Threads:\s*(\d+)/m) ?? 0);
  return most - threads.reduce((sum, count) => sum + count, 0);
}

/** The real user of a process, whom its threads count for. */
function userOf(status: string): number | undefined {
  return numberIn(status, /^Uid:\s*(\d+)/m);
}

function numberIn(text: string | undefined, pattern: RegExp): number | undefined {
  const found = text === undefined ? undefined : pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Undefined if there is no such file, if its process has just ended, or if it may not be read. */
function textOf(root: string, path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}
