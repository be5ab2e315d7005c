/** The sum of ranks in a group that rank 1 joins late, and then works for a while. */
import { joinGroup } from "@ringrank/collectives";

export function run({ rank }, { group, lateMs, workMs = 0 }) {
  const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  if (rank === 1) pause(lateMs);
  const comm = joinGroup(group, rank);
  if (rank === 1) pause(workMs);
  return comm.allReduce(Int32Array.of(rank))[0];
}
