/** Sums of two ranks of which the one comes only when the other sleeps; each in turn. */
import { joinGroup } from "@ringrank/collectives";

/** @param {{ words: Int32Array, sleepers: number }} data the group's memory, and the word that counts who sleeps */
export function run({ rank }, { group, words, sleepers, calls, length }) {
  const comm = joinGroup(group, rank, { algorithm: "one-shot" });
  return Array.from({ length: calls }, (_, call) => {
    if (rank === call % 2) untilSomebodySleeps(words, sleepers);
    return comm.allReduce(Int32Array.from({ length }, (_, i) => (rank === 0 ? call : i)));
  });
}

function untilSomebodySleeps(words, sleepers) {
  const idle = new Int32Array(new SharedArrayBuffer(4));
  for (let waits = 0; Atomics.load(words, sleepers) === 0; waits++) {
    if (waits === 10_000) throw new Error("the other rank does not sleep");
    Atomics.wait(idle, 0, 0, 1);
  }
}
