/** Whether sums stay right over many collectives of the given group. */
import { joinGroup } from "@ringrank/collectives";

export function run({ rank, worldSize }, { group, algorithm, calls }) {
  const comm = joinGroup(group, rank, { algorithm });
  for (let call = 0; call < calls; call++) {
    const length = (call % 10) * 30;
    const sums = comm.allReduce(new Int32Array(length).fill(call + rank));
    const expected = worldSize * call + (worldSize * (worldSize - 1)) / 2;
    if (!sums.every((value) => value === expected)) return false;
  }
  return true;
}
