import type { Algorithm, CollectiveArray, ReduceOperation } from "../communicator.js";
import type { Elements } from "../group/elements.js";
import type { Transport } from "../group/transport.js";
import type { Pieces } from "../pieces.js";

/**
 * How ranks move and reduce elements. The caller has opened the collective; the algorithm publishes at least one
 * round, and the same number on every rank. Worlds of one never get here.
 *
 * The order of additions is part of each algorithm's contract: it depends on the world size and on where an
 * element lies, never on timing or on the window's size, so all ranks and all runs have the same bits.
 *
 * `elements` is the group's memory in the operand's type.
 */
export interface CollectiveAlgorithm {
  readonly name: Exclude<Algorithm, "auto">;

  /** `data` becomes the reduction over ranks. */
  allReduce<T extends CollectiveArray>(
    transport: Transport,
    elements: Elements<T>,
    data: T,
    operation: ReduceOperation,
  ): void;

  /** `out`, of `pieces.counts[rank]` elements, becomes this rank's piece of the reduction of `data`. */
  reduceScatter<T extends CollectiveArray>(
    transport: Transport,
    elements: Elements<T>,
    data: T,
    pieces: Pieces,
    operation: ReduceOperation,
    out: T,
  ): void;

  /** `out` has this rank's piece in place, and gets everybody's. */
  allGather<T extends CollectiveArray>(
    transport: Transport,
    elements: Elements<T>,
    pieces: Pieces,
    out: T,
  ): void;
}
