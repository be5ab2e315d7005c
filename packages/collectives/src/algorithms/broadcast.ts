import type { CollectiveArray } from "../communicator.js";
import type { Elements } from "../group/elements.js";
import type { Transport } from "../group/transport.js";

/**
 * Root publishes, and everyone reads: in shared memory, no tree or ring can move less. The other ranks publish empty
 * rounds.
 */
export function broadcast<T extends CollectiveArray>(
  transport: Transport,
  elements: Elements<T>,
  data: T,
  root: number,
): void {
  const { windowLength, rank } = transport;
  for (let from = 0; from === 0 || from < data.length; from += windowLength) {
    const length = Math.min(windowLength, data.length - from);
    if (rank === root) elements.put(transport.claim("all"), data, from, length);
    transport.publish();
    if (rank !== root) elements.take(data, from, transport.receive(root), length);
  }
}
