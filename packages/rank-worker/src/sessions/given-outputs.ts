import { discard } from "./discard.js";
import type { Fetched, Fetches } from "./ort-binding.js";

/** What a run gives, but where a tensor was given to write to, that one in place of the runtime's copy of it. */
export function withGivenOutputs(fetched: Fetched, fetches: Fetches): Fetched {
  const given = givenIn(fetches);
  return given.length === 0 ? fetched : { ...fetched, ...Object.fromEntries(given) };
}

/**
 * Lets go of those copies at once. Prompts make gigabytes of them, for which the engine cleared memory and collected
 * garbage. Only for a version of onnxruntime-node that is known to copy: one that does not gives the memory itself.
 */
export function discardCopies(fetched: Fetched, fetches: Fetches): void {
  for (const [name] of givenIn(fetches)) {
    const copy = fetched[name]?.data;
    if (!ArrayBuffer.isView(copy) || copy.byteLength < leastDiscarded) continue;
    if (copy.buffer instanceof ArrayBuffer) discard(copy.buffer);
  }
}

function givenIn(fetches: Fetches) {
  return Object.entries(fetches).flatMap(([name, into]) => (into === null ? [] : [[name, into] as const]));
}

/** Bytes. To discard takes some microseconds. */
const leastDiscarded = 65_536;
