import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A directory of this process for exports, up to 6 GB. Those left behind by processes that were ended are removed. */
export function workFolder(cache) {
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const [, pid] = /^work-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(cache, name), { recursive: true, force: true });
  }
  const folder = join(cache, `work-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
