import { runRanks } from "@ringrank/coordinator";
import { summary } from "./statistics.mjs";

/**
 * The numbers of streams that a thread reads in parallel. Which is fastest depends on the processor, and varies over
 * time.
 */
const streams = [1, 2, 4, 8];

/**
 * The GB/s that `threads` threads read together with WebAssembly's 16-byte loads. Each reads a large array of its own
 * from end to end, all at the same time, with several numbers of streams that take turns. The fastest is the
 * memory-bandwidth bound, since a decode step reads every weight once.
 *
 * @param options.passes the number of passes for each number of streams
 * @param options.hugePages whether huge pages are requested
 * @returns `{ streams, samples }` for each number of streams, with a sample per pass, the fastest by its median first
 */
export async function readBandwidth({ threads, passes = 15, hugePages = false }) {
  // Far larger than any cache, both together and each.
  const bytes = 2 ** 20 * Math.max(128, 512 / threads);
  const task = new URL("./read-task.mjs", import.meta.url);
  const speeds = await runRanks(threads, task, { streams, passes, bytes, hugePages });
  return streams
    .map((count, way) => ({
      streams: count,
      // A pass takes as long as its slowest thread.
      samples: Array.from(
        { length: passes },
        (_, pass) => threads * Math.min(...speeds.map((ofThread) => ofThread[way][pass])),
      ),
    }))
    .sort((a, b) => summary(b.samples).median - summary(a.samples).median);
}

/**
 * The bound as a participant in turns (`takeTurns`): on a shared machine it changes by the second, so it must be
 * measured in the same seconds as the figures compared with it.
 */
export function bandwidthTurns({ threads, hugePages }) {
  return {
    /** GB/s of the fastest number of streams. */
    async call() {
      const [fastest] = await readBandwidth({ threads, hugePages, passes: 3 });
      return summary(fastest.samples).median;
    },
  };
}
