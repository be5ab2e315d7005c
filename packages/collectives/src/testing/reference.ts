import type { Algorithm, CollectiveArray } from "../communicator.js";
import type { CollectiveCase } from "./rank-team.js";

/**
 * What every rank must get, by rank, bit for bit: the plain definition of each collective, with additions in the
 * order that the algorithm documents.
 */
export function reference(one: CollectiveCase, algorithm: Exclude<Algorithm, "auto">): CollectiveArray[] {
  const { inputs, collective } = one;
  const worldSize = inputs.length;
  if (collective === "broadcast") return inputs.map(() => inputs[one.root ?? 0]!.slice());
  if (collective === "allGather") {
    const whole = concatenate(inputs);
    return inputs.map(() => whole);
  }
  const { length } = inputs[0]!;
  const counts = one.counts ?? evenCounts(length, worldSize);
  const pieceCounts = collective === "allReduce" ? evenCounts(length, worldSize) : counts;
  const reduced = inputs[0]!.slice();
  let start = 0;
  const pieces = pieceCounts.map((count, piece) => {
    // The ring's chunk starts right of the rank where it ends; one-shot goes by rank.
    const first = algorithm === "ring" ? piece + 1 : 0;
    for (let i = start; i < start + count; i++) {
      let value = inputs[first % worldSize]![i]!;
      for (let hop = 1; hop < worldSize; hop++) {
        value = combine(value, inputs[(first + hop) % worldSize]![i]!, one);
      }
      reduced[i] = value;
    }
    start += count;
    return reduced.slice(start - count, start);
  });
  return collective === "allReduce" ? inputs.map(() => reduced) : pieces;
}

function combine(a: number, b: number, { operation = "sum", inputs }: CollectiveCase): number {
  if (operation === "max") return Math.max(a, b);
  return inputs[0] instanceof Float32Array ? Math.fround(a + b) : (a + b) | 0;
}

/** How many of `length` cards each rank gets when they are dealt round. */
function evenCounts(length: number, worldSize: number): number[] {
  return Array.from({ length: worldSize }, (_, rank) => {
    return Math.ceil(Math.max(0, length - rank) / worldSize);
  });
}

function concatenate(inputs: readonly CollectiveArray[]): CollectiveArray {
  const total = inputs.reduce((sum, input) => sum + input.length, 0);
  const whole = inputs[0] instanceof Float32Array ? new Float32Array(total) : new Int32Array(total);
  let start = 0;
  for (const input of inputs) {
    whole.set(input, start);
    start += input.length;
  }
  return whole;
}
