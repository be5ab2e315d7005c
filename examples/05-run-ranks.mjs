// Test your own multi-rank function: runRanks starts one thread per rank and returns what each of them returned.
//
//   node examples/05-run-ranks.mjs
//
// The function is in a module of its own (05-run-ranks-task.mjs), which every rank's thread loads.
import assert from "node:assert/strict";
import { runRanks } from "@ringrank/collectives";

const task = new URL("./05-run-ranks-task.mjs", import.meta.url);
const scores = Float32Array.of(2, -1, 0.5, 1000, 999, 3, 998.5);

const exponentials = [...scores].map((score) => Math.exp(score - 1000));
const total = exponentials.reduce((sum, value) => sum + value, 0);
const expected = exponentials.map((value) => value / total);

for (const ranks of [1, 2, 3, 4]) {
  const pieces = await runRanks(ranks, task, scores);
  const softmax = pieces.flatMap((piece) => [...piece]);
  // The sums are fp32, and their order depends on the number of ranks.
  for (const [i, value] of softmax.entries()) assert.ok(Math.abs(value - expected[i]) < 1e-6);
  console.log(`ranks: ${ranks}, softmax: ${softmax.map((value) => value.toFixed(4)).join(" ")}`);
}

// If one rank fails, the whole run fails with that cause, and no rank hangs.
await assert.rejects(runRanks(2, task, "not an array of scores"), { code: "RR_RANK_FAILED" });
console.log("bad scores: RR_RANK_FAILED, as it should be");

// Mismatched calls do not hang either: all ranks get the same error, which says who called what. (A task may be a data:
// URL.)
const forgetful =
  "data:text/javascript,export default (comm) => comm.allReduce(new Float32Array(4 + comm.rank))";
const error = await runRanks(3, forgetful, undefined).catch((error) => error);
assert.equal(error.code, "RR_MISMATCH");
console.log(`other lengths: ${error.code}, ${error.message}`);
