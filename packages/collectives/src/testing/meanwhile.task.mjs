/** Rank 1 comes to a collective only once rank 0 has worked while it waited for it. */
import { joinGroup } from "@ringrank/collectives";

export function run({ rank }, { group, worked, message, nests }) {
  const comm = joinGroup(group, rank);
  if (rank === 0) {
    comm.meanwhile = () => {
      Atomics.store(worked, 0, 1);
      Atomics.notify(worked, 0);
      if (message !== undefined) throw new Error(message);
      if (nests) comm.barrier();
    };
  }
  if (rank === 1) Atomics.wait(worked, 0, 0);
  try {
    return comm.allReduce(Int32Array.of(1))[0];
  } catch ({ code, rank, message }) {
    return { code, rank, message };
  }
}
