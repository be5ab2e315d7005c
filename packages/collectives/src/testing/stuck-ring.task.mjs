/** Rank 2 stops in the middle of a ring until the others have given up; each returns the error it gets. */
import { joinGroup } from "@ringrank/collectives";

export function run({ rank }, { group, gaveUp }) {
  let steps = 0;
  const observeRing = () => {
    if (rank !== 2 || ++steps > 1) return;
    while (Atomics.load(gaveUp, 0) < 2) Atomics.wait(gaveUp, 0, Atomics.load(gaveUp, 0), 1000);
  };
  const comm = joinGroup(group, rank, { algorithm: "ring", observeRing });
  try {
    comm.allReduce(new Float32Array(8));
    return undefined;
  } catch (error) {
    return { code: error.code, message: error.message, rank: error.rank };
  } finally {
    Atomics.add(gaveUp, 0, 1);
    Atomics.notify(gaveUp, 0);
  }
}
