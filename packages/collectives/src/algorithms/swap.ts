import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import type { Elements } from "../group/elements.js";
import { slotLength } from "../group/layout.js";
import type { Transport } from "../group/transport.js";

/** Whether {@link swap} can do it: two ranks, and a message that fits a slot, and the blocks that it is staged in. */
export function canSwap({ worldSize, windowLength }: Transport, length: number): boolean {
  return worldSize === 2 && length <= Math.min(slotLength, windowLength);
}

/**
 * The one-shot all-reduce of a short message between two ranks, through two slots that change hands each time: a rank
 * writes the slot that it has read the last time. Of two operands it does not matter which comes first.
 *
 * ```
 *            slot 0           slot 1
 *   call 0   1 ──▶ 0          0 ──▶ 1
 *   call 1   0 ──▶ 1          1 ──▶ 0      rank 0 writes what it has read before, so it waits for nobody
 * ```
 *
 * A message costs what it moves between two cores' caches, and through windows each line moves twice: to the reader,
 * and back to the writer, who may only write what no other core has. Here the reader writes the sum where it has read,
 * so the lines are its own already when it writes them in the next call, and each line moves once.
 *
 * One kernel puts the message into the slot, publishes it and looks for the other rank's for a while; only if that is
 * late does JavaScript wait. Another kernel reduces this rank's own into what came.
 */
export function swap<T extends CollectiveArray>(
  transport: Transport,
  elements: Elements<T>,
  data: T,
  operation: ReduceOperation,
): void {
  const { length } = data;
  const own = elements.stage(data, 0, length);
  const slot = transport.exchange(elements.offer, own, length);
  elements.reduce[operation](slot, own, slot, length);
  elements.take(data, 0, slot, length);
}
