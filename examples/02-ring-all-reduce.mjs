// A ring all-reduce, step by step: watch each rank's chunks as they move.
//
//   node examples/02-ring-all-reduce.mjs [ranks, at most 6; default 3]
//
// Every rank starts with its own array [6], cut into N chunks as even as possible, and ends with the sum of all arrays.
// Each rank only reads from its left neighbour. First, each chunk travels once round the ring, and every rank adds its
// own numbers (reduce-scatter, N−1 steps). Then each finished chunk travels round once more (all-gather, N−1 steps). In
// each step, a rank reads 1/N of the array, so 2(N−1)/N of it in all: hardly more with many ranks than with few. No
// all-reduce can do with less (Patarasuk and Yuan, 2009, doi 10.1016/j.jpdc.2008.09.002).
import assert from "node:assert/strict";
import { isMainThread } from "node:worker_threads";
import { createGroup, joinGroup, runRanks } from "@ringrank/collectives";

/**
 * Runs on each rank's own thread. Rank r has (1, 2, … 6) · 10^r, so each digit of a sum shows which rank it is from.
 */
export function run({ rank }, group) {
  const steps = [];
  const comm = joinGroup(group, rank, { algorithm: "ring", observeRing: (step) => steps.push(step) });
  const data = Float32Array.from({ length: 6 }, (_, i) => 10 ** rank * (i + 1));
  const before = [...data];
  comm.allReduce(data);
  return { before, steps, after: [...data] };
}

if (isMainThread) {
  const ranks = Number(process.argv[2] ?? 3);
  assert.ok(!(ranks > 6), `expected at most 6 ranks, one number for each chunk, got ${ranks}`);
  const results = await runRanks(ranks, import.meta.url, createGroup({ worldSize: ranks }));

  console.log("Each rank's own numbers:");
  for (const [rank, { before }] of results.entries()) console.log(`  rank ${rank}: ${before.join(" ")}`);

  for (let index = 0; index < results[0].steps.length; index++) {
    const { phase, step } = results[0].steps[index];
    console.log(`\n${phase}, step ${step} of ${ranks - 1}:`);
    for (const [rank, { steps }] of results.entries()) {
      const { chunk, from, values } = steps[index];
      const did = phase === "reduce-scatter" ? "adds its own, has" : "keeps";
      console.log(`  rank ${rank} gets chunk ${chunk} from rank ${from}, ${did} [${values.join(" ")}]`);
    }
  }

  console.log("\nThe sum, on every rank:");
  for (const [rank, { after }] of results.entries()) console.log(`  rank ${rank}: ${after.join(" ")}`);

  const taken = results[0].steps.reduce((sum, { values }) => sum + values.length, 0);
  console.log(`\nRank 0 read ${taken} numbers from its neighbour in ${results[0].steps.length} steps.`);
}
