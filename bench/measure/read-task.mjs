import { readKernel } from "./read-kernel.mjs";

/** Of one of the threads that read at the same time: seconds of each pass. */
export async function run(comm, { passes, megabytes }) {
  const memory = new WebAssembly.Memory({ initial: megabytes * 16, maximum: megabytes * 16 });
  // Pages that were never written are all one.
  new Uint8Array(memory.buffer).fill(1);
  const module = await WebAssembly.compile(readKernel());
  const { exports } = await WebAssembly.instantiate(module, { memory: { memory } });
  const times = [];
  for (let pass = -3; pass < passes; pass++) {
    comm.barrier();
    const start = performance.now();
    exports.read(0, memory.buffer.byteLength);
    if (pass >= 0) times.push((performance.now() - start) / 1000);
  }
  return times;
}
