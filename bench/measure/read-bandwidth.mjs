import { runRanks } from "@ringrank/coordinator";
import { summary } from "./statistics.mjs";

/** How many streams a thread reads side by side. Which is fastest depends on the processor, and on the hour. */
const streams = [1, 2, 4, 8];

/**
 * GB/s that `threads` threads read together, with WebAssembly's 16-byte loads: each a large array of its own, from end
 * to end, all at the same time, in several ways that take turns. The fastest is the memory-bandwidth bound: a decode
 * step reads every weight once.
 *
 * @param options.passes of each way
 * @param options.hugePages whether they are asked for
 * @returns `{ streams, samples }` of each way, a sample a pass, the fastest by its median first
 */
export async function readBandwidth({ threads, passes = 15, hugePages = false }) {
  // Well beyond any cache, together and each.
  const bytes = 2 ** 20 * Math.max(128, 512 / threads);
  const task = new URL("./read-task.mjs", import.meta.url);
  const speeds = await runRanks(threads, task, { streams, passes, bytes, hugePages });
  return streams
    .map((count, way) => ({
      streams: count,
      // A pass lasts as long as its slowest thread.
      samples: Array.from(
        { length: passes },
        (_, pass) => threads * Math.min(...speeds.map((ofThread) => ofThread[way][pass])),
      ),
    }))
    .sort((a, b) => summary(b.samples).median - summary(a.samples).median);
}

/**
 * The bound as one of those who take turns (`takeTurns`): on a machine that others use, too, it changes by the second,
 * and what is held against it should be of the same seconds.
 */
export function bandwidthTurns({ threads, hugePages }) {
  return {
    /** GB/s of the fastest way of reading. */
    async call() {
      const [fastest] = await readBandwidth({ threads, hugePages, passes: 3 });
      return summary(fastest.samples).median;
    },
  };
}
