import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import type { Elements } from "../group/elements.js";
import type { Transport } from "../group/transport.js";
import { lengthInWindow } from "../pieces.js";
import type { CollectiveAlgorithm } from "./collective-algorithm.js";
import { canSwap, swap } from "./swap.js";

/**
 * Every rank publishes its message and reads those of all ranks: one wait per window, but each rank reads N windows. It
 * is fastest when waiting costs more than reading.
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

  allReduce(transport, elements, data, operation) {
    if (canSwap(transport, data.length)) {
      swap(transport, elements, data, operation);
      return;
    }
    const { windowLength } = transport;
    for (let from = 0; from === 0 || from < data.length; from += windowLength) {
      const length = Math.min(windowLength, data.length - from);
      const own = elements.stage(data, from, length);
      elements.move(transport.claim("all"), own, length);
      transport.publish();
      reduceAll(transport, elements, operation, own, 0, data, from, length);
    }
  },

  // A window holds an equal share of every piece, so that every rank has work in every round.
  reduceScatter(transport, elements, data, pieces, operation, out) {
    const { rank, worldSize } = transport;
    const share = Math.floor(transport.windowLength / worldSize);
    for (let from = 0; from === 0 || from < pieces.longest; from += share) {
      const window = transport.claim("all");
      for (let distance = 1; distance < worldSize; distance++) {
        const piece = (rank + distance) % worldSize;
        const length = lengthInWindow(pieces, piece, from, share);
        elements.put(window + piece * share, data, pieces.starts[piece]! + from, length);
      }
      transport.publish();
      const length = lengthInWindow(pieces, rank, from, share);
      const own = elements.stage(data, pieces.starts[rank]! + from, length);
      reduceAll(transport, elements, operation, own, rank * share, out, from, length);
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
 * Reduces `length` elements over ranks into `out` at `start`. This rank's own elements are at `own`, and those of the
 * others are `offset` elements into their windows.
 */
function reduceAll<T extends CollectiveArray>(
  transport: Transport,
  elements: Elements<T>,
  operation: ReduceOperation,
  own: number,
  offset: number,
  out: T,
  start: number,
  length: number,
): void {
  const { rank, worldSize } = transport;
  const reduce = elements.reduce[operation];
  const operandOf = (peer: number) => (peer === rank ? own : transport.receive(peer) + offset);
  // Works in place if nothing is added before this rank's own elements.
  const result = rank < 2 ? own : elements.result;
  reduce(result, operandOf(0), operandOf(1), length);
  for (let peer = 2; peer < worldSize; peer++) reduce(result, result, operandOf(peer), length);
  elements.take(out, start, result, length);
}
