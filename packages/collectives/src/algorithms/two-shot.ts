import type { CollectiveAlgorithm } from "./collective-algorithm.js";
import { oneShot } from "./one-shot.js";

/**
 * Everyone publishes, each sums one slice over all ranks and publishes that, everyone reads all slices: two waits per
 * window, and each rank reads 2(N−1)/N of the message, whatever N is. It moves what a ring moves, in 2 rounds instead
 * of 2(N−1): in shared memory nothing has to go from neighbour to neighbour.
 *
 * ```
 *               published first           then
 *   rank 0: [a0 b0 c0] ──▶ A = a0 + a1 + a2 ──┬──▶ [A B C]
 *   rank 1: [a1 b1 c1] ──▶ B = b0 + b1 + b2 ──┼──▶ [A B C]
 *   rank 2: [a2 b2 c2] ──▶ C = c0 + c1 + c2 ──┴──▶ [A B C]
 * ```
 *
 * Order of additions, as one-shot's: `((x0 + x1) + x2) + …`, for every element. Reduce-scatter and all-gather are one
 * of its halves each, and one-shot's already.
 */
export const twoShot: CollectiveAlgorithm = {
  name: "two-shot",

  allReduce(transport, elements, data, operation) {
    const { rank, worldSize, windowLength } = transport;
    const reduce = elements.reduce[operation];
    for (let from = 0; from === 0 || from < data.length; from += windowLength) {
      const length = Math.min(windowLength, data.length - from);
      const sliceLength = wholeLines(Math.ceil(length / worldSize));
      const startOf = (slice: number) => Math.min(slice * sliceLength, length);
      const lengthOf = (slice: number) => startOf(slice + 1) - startOf(slice);

      elements.put(transport.claim("all"), data, from, length);
      transport.publish();
      const own = startOf(rank);
      const operandOf = (peer: number) => transport.receive(peer) + own;
      const sum = transport.claim("all") + own;
      reduce(sum, operandOf(0), operandOf(1), lengthOf(rank));
      for (let peer = 2; peer < worldSize; peer++) reduce(sum, sum, operandOf(peer), lengthOf(rank));

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

/** Slices end where lines of cache do, so that no line is read by two ranks in the first round. */
function wholeLines(length: number): number {
  return Math.ceil(length / lineLength) * lineLength;
}

/** Elements of a line of cache. */
const lineLength = 16;
