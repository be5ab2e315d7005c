import type { CollectiveAlgorithm } from "./collective-algorithm.js";
import { oneShot } from "./one-shot.js";

/**
 * Every rank publishes its message, sums one slice over all ranks, publishes that sum, and reads the slices of all
 * ranks: two waits per window, and each rank reads 2(N−1)/N of the message, whatever N is. It moves as much as a ring,
 * in 2 rounds instead of 2(N−1), because in shared memory nothing has to travel from neighbour to neighbour.
 *
 * ```
 *               published first           then
 *   rank 0: [a0 b0 c0] ──▶ A = a0 + a1 + a2 ──┬──▶ [A B C]
 *   rank 1: [a1 b1 c1] ──▶ B = b0 + b1 + b2 ──┼──▶ [A B C]
 *   rank 2: [a2 b2 c2] ──▶ C = c0 + c1 + c2 ──┴──▶ [A B C]
 * ```
 *
 * Order of additions, as in one-shot: `((x0 + x1) + x2) + …`, for every element. Reduce-scatter and all-gather are one
 * half of it each, and are the same in one-shot.
 */
export const twoShot: CollectiveAlgorithm = {
  name: "two-shot",

  allReduce(transport, elements, data, operation) {
    const { rank, worldSize, windowLength, windowStride } = transport;
    const reduceAll = elements.reduceAll[operation];
    for (let from = 0; from === 0 || from < data.length; from += windowLength) {
      const length = Math.min(windowLength, data.length - from);
      const sliceLength = wholeLines(Math.ceil(length / worldSize));
      const startOf = (slice: number) => Math.min(slice * sliceLength, length);
      const lengthOf = (slice: number) => startOf(slice + 1) - startOf(slice);

      elements.put(transport.claim("all"), data, from, length);
      transport.publish();
      const own = startOf(rank);
      const operands = transport.receiveAll() + own;
      reduceAll(transport.claim("all") + own, operands, windowStride, worldSize, lengthOf(rank));

      transport.publish();
      const result = elements.result;
      for (let distance = 0; distance < worldSize; distance++) {
        const slice = (rank + distance) % worldSize;
        const start = startOf(slice);
        elements.move(result + start, transport.receive(slice) + start, lengthOf(slice));
      }
      elements.take(data, from, result, length);
    }
  },

  reduceScatter: oneShot.reduceScatter,
  allGather: oneShot.allGather,
};

/** Slices end at cache line boundaries, so that no line is read by two ranks in the first round. */
function wholeLines(length: number): number {
  return Math.ceil(length / lineLength) * lineLength;
}

/** Elements in a cache line. */
const lineLength = 16;
