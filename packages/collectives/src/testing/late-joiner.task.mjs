/** The sum of ranks in a group that rank 1 joins late. */
import { joinGroup } from "@ringrank/collectives";

export function run({ rank }, { group, lateMs }) {
  if (rank === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lateMs);
  return joinGroup(group, rank).allReduce(Int32Array.of(rank))[0];
}
