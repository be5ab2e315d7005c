/** Whether sums stay right over more rounds than the given group's counters have left. */
import { joinGroup } from "@ringrank/collectives";

export function run({ rank, worldSize }, group) {
  const comm = joinGroup(group, rank, { algorithm: "ring" });
  for (let length = 0; length < 300; length += 30) {
    const sums = comm.allReduce(new Int32Array(length).fill(length + rank));
    const expected = worldSize * length + (worldSize * (worldSize - 1)) / 2;
    if (!sums.every((value) => value === expected)) return false;
  }
  return true;
}
