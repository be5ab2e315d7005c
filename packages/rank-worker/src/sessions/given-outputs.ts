import type { Tensor } from "../tensors/tensor.js";
import { discard } from "./discard.js";
import type { Fetched, Fetches } from "./ort-binding.js";

/**
 * The outputs of a run. Where a tensor was provided to write to, it replaces the runtime's copy of it.
 *
 * @param fetched is changed
 * @param letGo receives the copies
 */
export function withGivenOutputs(
  fetched: Record<string, Tensor>,
  fetches: Fetches,
  letGo?: (copy: Tensor | undefined) => void,
): Fetched {
  // With `for … in`, this was compiled for one session's object, and again and again for those of others.
  for (const [name, given] of Object.entries(fetches)) {
    if (given === null) continue;
    letGo?.(fetched[name]);
    fetched[name] = given;
  }
  return fetched;
}

/**
 * Releases a copy at once. Prompts create gigabytes of copies, for which the engine would clear memory and collect
 * garbage. Only for a version of onnxruntime-node that is known to copy: one that does not would return the memory
 * itself.
 */
export function discardCopy(copy: Tensor | undefined): void {
  const data = copy?.data;
  if (!ArrayBuffer.isView(data) || data.byteLength < leastDiscarded) return;
  if (data.buffer instanceof ArrayBuffer) discard(data.buffer);
}

/** In bytes. Discarding takes a few microseconds. */
const leastDiscarded = 65_536;
