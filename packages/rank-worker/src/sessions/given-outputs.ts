import type { Tensor } from "../tensors/tensor.js";
import { discard } from "./discard.js";
import type { Fetched, Fetches } from "./ort-binding.js";

/**
 * What a run gives, but where a tensor was given to write to, that one in place of the runtime's copy of it.
 *
 * @param fetched changed
 * @param letGo of the copy
 */
export function withGivenOutputs(
  fetched: Record<string, Tensor>,
  fetches: Fetches,
  letGo?: (copy: Tensor | undefined) => void,
): Fetched {
  for (const name in fetches) {
    const given = fetches[name];
    if (given === null || given === undefined) continue;
    letGo?.(fetched[name]);
    fetched[name] = given;
  }
  return fetched;
}

/**
 * Lets go of a copy at once. Prompts make gigabytes of them, for which the engine cleared memory and collected garbage.
 * Only for a version of onnxruntime-node that is known to copy: one that does not gives the memory itself.
 */
export function discardCopy(copy: Tensor | undefined): void {
  const data = copy?.data;
  if (!ArrayBuffer.isView(data) || data.byteLength < leastDiscarded) return;
  if (data.buffer instanceof ArrayBuffer) discard(data.buffer);
}

/** Bytes. To discard takes some microseconds. */
const leastDiscarded = 65_536;
