import { copy } from "../kernels.js";
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

  allReduce(transport, shared, data, reduce) {
    const { windowLength, worldSize } = transport;
    for (let from = 0; from === 0 || from < data.length; from += windowLength) {
      const length = Math.min(windowLength, data.length - from);
      copy(shared, transport.claim("all"), data, from, length);
      transport.publish();
      reduce(data, from, shared, transport.receive(0), shared, transport.receive(1), length);
      for (let peer = 2; peer < worldSize; peer++) {
        reduce(data, from, data, from, shared, transport.receive(peer), length);
      }
    }
  },

  // A window holds an equal share of every piece, so that every rank has work in every round.
  reduceScatter(transport, shared, data, pieces, reduce, out) {
    const { rank, worldSize } = transport;
    const share = Math.floor(transport.windowLength / worldSize);
    for (let from = 0; from === 0 || from < pieces.longest; from += share) {
      const mine = transport.claim("all");
      for (let piece = 0; piece < worldSize; piece++) {
        const length = lengthInWindow(pieces, piece, from, share);
        copy(shared, mine + piece * share, data, pieces.starts[piece]! + from, length);
      }
      transport.publish();
      const at = rank * share;
      const length = lengthInWindow(pieces, rank, from, share);
      reduce(out, from, shared, transport.receive(0) + at, shared, transport.receive(1) + at, length);
      for (let peer = 2; peer < worldSize; peer++) {
        reduce(out, from, out, from, shared, transport.receive(peer) + at, length);
      }
    }
  },

  allGather(transport, shared, pieces, out) {
    const { rank, worldSize, windowLength } = transport;
    for (let from = 0; from === 0 || from < pieces.longest; from += windowLength) {
      const length = lengthInWindow(pieces, rank, from, windowLength);
      copy(shared, transport.claim("all"), out, pieces.starts[rank]! + from, length);
      transport.publish();
      for (let distance = 1; distance < worldSize; distance++) {
        const peer = (rank + distance) % worldSize;
        const theirs = lengthInWindow(pieces, peer, from, windowLength);
        copy(out, pieces.starts[peer]! + from, shared, transport.receive(peer), theirs);
      }
    }
  },
};
