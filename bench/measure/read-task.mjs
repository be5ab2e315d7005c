import { readableMemory } from "./read-kernel.mjs";

/** Of one of the threads that read at the same time: seconds of each pass. */
export async function run(comm, { passes, megabytes }) {
  const { bytes, read } = await readableMemory(16 * megabytes);
  // Pages that were never written are all one.
  bytes.fill(1);
  const times = [];
  for (let pass = -3; pass < passes; pass++) {
    comm.barrier();
    const start = performance.now();
    read(0, bytes.length);
    if (pass >= 0) times.push((performance.now() - start) / 1000);
  }
  return times;
}
