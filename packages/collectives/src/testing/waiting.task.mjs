/** All ranks wait for the last one in a group that nobody ends but the host; each returns the error it gets. */
import { joinGroup, poisonCause } from "@ringrank/collectives";

export async function run({ rank, worldSize }, group) {
  const comm = joinGroup(group, rank);
  for (;;) {
    try {
      // The last rank only looks whether the group still stands: a collective of an unpoisoned group would wake the
      // others.
      if (rank === worldSize - 1 && poisonCause(group) === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      comm.allReduce(new Float32Array(8));
    } catch ({ code, message, rank, cause }) {
      return { code, message, rank, cause: cause.message };
    }
  }
}
