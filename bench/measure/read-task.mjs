import { readableMemory } from "./read-kernel.mjs";

/** Untimed passes: the engine compiles the optimized code during the first. */
const warmUp = 1;

/** One of the threads that read at the same time: returns the GB/s of each pass, by number of streams. */
export function run(comm, { streams, passes, bytes, hugePages }) {
  const memory = readableMemory(bytes, { hugePages });
  // Pages that were never written all map to one.
  memory.bytes.fill(1);
  const readers = streams.map((count) => memory.readBy(count));
  const speeds = streams.map(() => []);
  for (let pass = -warmUp; pass < passes; pass++) {
    for (const [index, { read, bytes }] of readers.entries()) {
      comm.barrier();
      const start = performance.now();
      read();
      if (pass >= 0) speeds[index].push(bytes / (performance.now() - start) / 1e6);
    }
  }
  return speeds;
}
