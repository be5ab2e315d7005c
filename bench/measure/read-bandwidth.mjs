import { availableParallelism } from "node:os";
import { runRanks } from "@ringrank/coordinator";

/** Of each thread: well beyond any cache. */
const megabytes = 256;

/**
 * GB/s that `threads` threads read together: each reads a large array of its own from end to end, with WebAssembly's
 * 16-byte loads, all at the same time. This is the memory-bandwidth bound: a decode step reads every weight once.
 *
 * @returns one figure for each pass
 */
export async function readBandwidth({ threads = availableParallelism(), passes = 15 } = {}) {
  const times = await runRanks(threads, new URL("./read-task.mjs", import.meta.url), { passes, megabytes });
  // A pass lasts as long as its slowest thread.
  return Array.from({ length: passes }, (_, pass) => {
    const seconds = Math.max(...times.map((ofThread) => ofThread[pass]));
    return (threads * megabytes * 2 ** 20) / seconds / 1e9;
  });
}
