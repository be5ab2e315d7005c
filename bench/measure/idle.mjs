import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds that the process is watched for; and how much of a core it may use in them and be idle. */
const watched = 50;
const idleShare = 0.1;

/**
 * Waits until this process's threads, all together, do next to nothing: a token that was begun ahead of its reader, a
 * garbage collection behind a load (transformers.js has one that keeps a core busy for 20 seconds), pools that still
 * spin. What a contestant does after its turn, it would do in another's.
 *
 * @param limit milliseconds after which it is busy for good, and that is its own affair
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
