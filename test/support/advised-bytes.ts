import { readFileSync } from "node:fs";

/**
 * The bytes of this process's memory, across all threads, for which huge pages were requested from Linux: mappings with
 * the flag `hg` (https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html).
 */
export function advisedBytes(): number {
  const mappings = readFileSync("/proc/self/smaps", "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return mappings
    .filter((mapping) => /^VmFlags:.* hg( |$)/m.test(mapping))
    .reduce((bytes, mapping) => bytes + 1024 * Number(/^Size:\s+(\d+) kB$/m.exec(mapping)![1]), 0);
}
