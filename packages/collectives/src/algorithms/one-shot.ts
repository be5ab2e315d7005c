import type { CollectiveArray } from "../communicator.js";
import type { Elements } from "../group/elements.js";
import { scratchLength } from "../group/layout.js";
import type { Transport } from "../group/transport.js";
import type { ReduceKernel } from "../kernels/kernels.js";
import { lengthInWindow } from "../pieces.js";
import type { CollectiveAlgorithm } from "./collective-algorithm.js";

/**
 * Everyone publishes, everyone reads all: one wait per window, but each rank reads N windows. Wins where waiting
 * costs more than reading.
 *
 * ```
 *   rank 0: [x0] ──┬──▶ x0 + x1 + x2
 *   rank 1: [x1] ──┼──▶ x0 + x1 + x2
 *   rank 2: [x2] ──┴──▶ x0 + x1 + x2
 * ```
 *
 * Order of additions: `((x0 + x1) + x2) + …`, for every element.
 */
export const oneShot: CollectiveAlgorithm = {
  name: "one-shot",

  allReduce(transport, elements, data, reduce) {
    const { windowLength } = transport;
    for (let from = 0; from === 0 || from < data.length; from += windowLength) {
      const length = Math.min(windowLength, data.length - from);
      elements.put(transport.claim("all"), data, from, length);
      transport.publish();
      reduceWindows(transport, elements, 0, reduce, data, from, length);
    }
  },

  // A window holds an equal share of every piece, so that every rank has work in every round.
  reduceScatter(transport, elements, data, pieces, reduce, out) {
    const { rank, worldSize } = transport;
    const share = Math.floor(transport.windowLength / worldSize);
    for (let from = 0; from === 0 || from < pieces.longest; from += share) {
      const mine = transport.claim("all");
      for (let piece = 0; piece < worldSize; piece++) {
        const length = lengthInWindow(pieces, piece, from, share);
        elements.put(mine + piece * share, data, pieces.starts[piece]! + from, length);
      }
      transport.publish();
      const length = lengthInWindow(pieces, rank, from, share);
      reduceWindows(transport, elements, rank * share, reduce, out, from, length);
    }
  },

  allGather(transport, elements, pieces, out) {
    const { rank, worldSize, windowLength } = transport;
    for (let from = 0; from === 0 || from < pieces.longest; from += windowLength) {
      const length = lengthInWindow(pieces, rank, from, windowLength);
      elements.put(transport.claim("all"), out, pieces.starts[rank]! + from, length);
      transport.publish();
      for (let distance = 1; distance < worldSize; distance++) {
        const peer = (rank + distance) % worldSize;
        const theirs = lengthInWindow(pieces, peer, from, windowLength);
        elements.take(out, pieces.starts[peer]! + from, transport.receive(peer), theirs);
      }
    }
  },
};

/**
 * Everybody's `length` elements from `offset` in the current windows, reduced into `out` at `start`; by blocks, so
 * that a result is copied out while the cache still has it.
 */
function reduceWindows<T extends CollectiveArray>(
  transport: Transport,
  elements: Elements<T>,
  offset: number,
  reduce: ReduceKernel,
  out: T,
  start: number,
  length: number,
): void {
  const scratch = elements.scratchFor(out, start);
  for (let done = 0; done < length; done += scratchLength) {
    const count = Math.min(scratchLength, length - done);
    const at = offset + done;
    reduce(scratch, transport.receive(0) + at, transport.receive(1) + at, count);
    for (let peer = 2; peer < transport.worldSize; peer++) {
      reduce(scratch, scratch, transport.receive(peer) + at, count);
    }
    elements.take(out, start + done, scratch, count);
  }
}
