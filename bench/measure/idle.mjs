import { setTimeout as sleep } from "node:timers/promises";

/**
 * The milliseconds for which the process is observed, and the time on a core that it may use in them and count as idle.
 */
const watched = 50;
const idleShare = 0.1;

/**
 * Waits until all threads of this process together are nearly idle. Work after a turn would slow down another
 * contestant's: a token that was begun ahead of its reader, garbage collection after a load (in transformers.js it
 * keeps a core busy for 20 seconds), or thread pools that still spin.
 *
 * @param limit milliseconds after which the wait ends in any case
 * @returns whether it is idle
 */
export async function untilIdle(limit) {
  const end = performance.now() + limit;
  while (performance.now() < end) {
    const before = process.cpuUsage();
    const start = performance.now();
    await sleep(watched);
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1000 < idleShare * (performance.now() - start)) return true;
  }
  return false;
}
