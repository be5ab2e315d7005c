/** Rank 0 waits for rank 1 in the first of two barriers; each returns how long it has waited after each. */
import { groupActivity, joinGroup } from "@ringrank/collectives";

export function run({ rank }, { group, lateMs }) {
  const comm = joinGroup(group, rank, { measureWaits: true });
  const idle = new Int32Array(new SharedArrayBuffer(4));
  if (rank === 1) {
    while (!groupActivity(group)[0].isWaiting) Atomics.wait(idle, 0, 0, 1);
    Atomics.wait(idle, 0, 0, lateMs);
  }
  return [1, 2].map(() => {
    comm.barrier();
    return comm.counters.waitedMs;
  });
}
