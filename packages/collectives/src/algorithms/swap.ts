import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import type { Elements } from "../group/elements.js";
import { slotLength } from "../group/layout.js";
import type { Transport } from "../group/transport.js";

/**
 * Whether {@link swap} can be used: with two ranks, and a message that fits a slot and the blocks in which it is
 * staged.
 */
export function canSwap({ worldSize, windowLength }: Transport, length: number): boolean {
  return worldSize === 2 && length <= Math.min(slotLength, windowLength);
}

/**
 * The one-shot all-reduce of a short message between two ranks, through two slots that change hands with each call: a
 * rank writes to the slot that it read in the previous call.
 *
 * ```
 *            slot 0           slot 1
 *   call 0   1 ──▶ 0          0 ──▶ 1
 *   call 1   0 ──▶ 1          1 ──▶ 0      rank 0 writes what it has read before, so it waits for nobody
 * ```
 *
 * Once a rank has published a slot, it leaves it alone until the other has filled it. So a slot is always one rank's.
 *
 * The cost of a message is the traffic between the caches of two cores. Through windows, each cache line moves twice:
 * to the reader, and back to the writer, who may only write lines that no other core has. Here, the reader writes the
 * sum to the slot it has just read, so its core already owns the lines when it writes them in the next call, and each
 * line moves once.
 *
 * One kernel copies the message into the slot, publishes it, and polls for the other rank's message; only if that is
 * late does JavaScript wait. Another kernel reduces this rank's operand into the received message, rank 0's first: the
 * order of two numbers does not matter, but of two NaNs, processors return the first.
 */
export function swap<T extends CollectiveArray>(
  transport: Transport,
  elements: Elements<T>,
  data: T,
  operation: ReduceOperation,
): void {
  const { length } = data;
  const own = elements.stage(data, 0, length);
  const slot = transport.exchange(elements.offer, own);
  const [first, second] = transport.rank === 0 ? [own, slot] : [slot, own];
  elements.reduce[operation](slot, first, second, length);
  elements.take(data, 0, slot, length);
}
