import type { Algorithm, CollectiveArray, ReduceOperation } from "../communicator.js";
import type { Elements } from "../group/elements.js";
import type { Transport } from "../group/transport.js";
import type { Pieces } from "../pieces.js";

/**
 * How ranks move and reduce elements. The caller has opened the collective. The algorithm publishes at least one round,
 * and the same number of rounds on every rank. It is never called in a world of one.
 *
 * The order of additions is part of each algorithm's contract. It depends on the world size and on the position of an
 * element, never on timing or on the window's size, so all ranks and all runs get the same bits.
 *
 * `elements` is the group's memory as elements of the operand's type.
 */
export interface CollectiveAlgorithm {
  readonly name: Exclude<Algorithm, "auto">;

  /** Replaces `data` with the reduction over ranks. */
  allReduce<T extends CollectiveArray>(
    transport: Transport,
    elements: Elements<T>,
    data: T,
    operation: ReduceOperation,
  ): void;

  /** Fills `out`, of `pieces.counts[rank]` elements, with this rank's piece of the reduction of `data`. */
  reduceScatter<T extends CollectiveArray>(
    transport: Transport,
    elements: Elements<T>,
    data: T,
    pieces: Pieces,
    operation: ReduceOperation,
    out: T,
  ): void;

  /** Fills `out` with the pieces of all ranks. This rank's own piece is already in place. */
  allGather<T extends CollectiveArray>(
    transport: Transport,
    elements: Elements<T>,
    pieces: Pieces,
    out: T,
  ): void;
}
