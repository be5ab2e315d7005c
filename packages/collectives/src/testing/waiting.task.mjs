/** Ranks 0 and 1 wait for rank 2 in a group that nobody ends but the host; each returns the error it gets. */
import { joinGroup, poisonCause } from "@ringrank/collectives";

export async function run({ rank }, group) {
  const comm = joinGroup(group, rank);
  for (;;) {
    try {
      // Rank 2 only looks whether the group still stands: a collective of an unpoisoned group would wake the others.
      if (rank === 2 && poisonCause(group) === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      comm.barrier();
    } catch ({ code, message, rank, cause }) {
      return { code, message, rank, cause: cause.message };
    }
  }
}
