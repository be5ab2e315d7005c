// Microseconds per collective, by algorithm, world size and length. Prints one row per length.
//
//   node bench/collectives.mjs [collective = allReduce] [worldSize,… = 2,4] [bytes,… = 256,8192,131072,1048576,8388608] [spins,… = default]
import { availableParallelism } from "node:os";
import { isMainThread } from "node:worker_threads";
import { createGroup, joinGroup, runRanks } from "@ringrank/collectives";

/** Each rank's time per call, in microseconds; the median of several batches. */
export function run(comm, { group, algorithm, collective, bytes }) {
  const member = joinGroup(group, comm.rank, { algorithm });
  const data = new Float32Array(bytes / 4);
  const calls = Math.max(3, Math.min(500, Math.ceil(2e6 / bytes)));
  const batches = [];
  for (let batch = 0; batch < 15; batch++) {
    member.barrier();
    const start = performance.now();
    for (let call = 0; call < calls; call++) member[collective](data);
    batches.push(((performance.now() - start) * 1000) / calls);
  }
  return batches.sort((a, b) => a - b)[7];
}

if (isMainThread) {
  const numbers = (text, otherwise) => (text ? text.split(",").map(Number) : otherwise);
  const collective = process.argv[2] ?? "allReduce";
  const worldSizes = numbers(process.argv[3], [2, 4]);
  const lengths = numbers(process.argv[4], [256, 8192, 131072, 1048576, 8388608]);
  const spinChoices = numbers(process.argv[5], [undefined]);
  console.log(
    `${availableParallelism()} cores; microseconds per ${collective} (median of 15 batches, rank 0)`,
  );
  for (const worldSize of worldSizes) {
    for (const bytes of lengths) {
      const row = [];
      for (const spins of spinChoices) {
        for (const algorithm of ["ring", "one-shot"]) {
          const group = createGroup({ worldSize });
          const data = {
            group: spins === undefined ? group : { ...group, spins },
            algorithm,
            collective,
            bytes,
          };
          const [time] = await runRanks(worldSize, import.meta.url, data);
          row.push(`${algorithm}${spins === undefined ? "" : ` (${spins} spins)`} ${time.toFixed(1)}`);
        }
      }
      console.log(`${worldSize} ranks, ${bytes} B: ${row.join(", ")}`);
    }
  }
}
