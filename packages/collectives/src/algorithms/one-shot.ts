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
    const { worldSize, windowLength, windowStride } = transport;
    const reduceAll = elements.reduceAll[operation];
    for (let from = 0; from === 0 || from < data.length; from += windowLength) {
      const length = Math.min(windowLength, data.length - from);
      const own = elements.stage(data, from, length);
      if (length === data.length) transport.offer(elements.offer, own);
      else {
        elements.move(transport.claim("all"), own, length);
        transport.publish();
      }
      reduceAll(elements.result, transport.receiveAll(), windowStride, worldSize, length);
      elements.take(data, from, elements.result, length);
    }
  },

  // A window holds an equal share of every piece, so that every rank has work in every round.
  reduceScatter(transport, elements, data, pieces, operation, out) {
    const { rank, worldSize, windowStride } = transport;
    const share = Math.floor(transport.windowLength / worldSize);
    for (let from = 0; from === 0 || from < pieces.longest; from += share) {
      const window = transport.claim("all");
      for (let piece = 0; piece < worldSize; piece++) {
        const length = lengthInWindow(pieces, piece, from, share);
        elements.put(window + piece * share, data, pieces.starts[piece]! + from, length);
      }
      transport.publish();
      const length = lengthInWindow(pieces, rank, from, share);
      const first = transport.receiveAll() + rank * share;
      elements.reduceAll[operation](elements.result, first, windowStride, worldSize, length);
      elements.take(out, from, elements.result, length);
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
