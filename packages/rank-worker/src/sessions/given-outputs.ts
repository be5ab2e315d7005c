import { discard } from "./discard.js";
import type { Fetched, Fetches } from "./ort-binding.js";

/**
 * What a run gives, but with the tensors that were given to write to: onnxruntime-node copies those, and returns the
 * copies. Prompts make gigabytes of them, for which the engine cleared memory and collected garbage.
 */
export function withGivenOutputs(fetched: Fetched, fetches: Fetches): Fetched {
  const given = Object.entries(fetches).flatMap(([name, into]) =>
    into === null ? [] : [[name, into] as const],
  );
  if (given.length === 0) return fetched;
  for (const [name] of given) {
    const copy = fetched[name]?.data;
    if (!ArrayBuffer.isView(copy) || copy.byteLength < leastDiscarded) continue;
    if (copy.buffer instanceof ArrayBuffer) discard(copy.buffer);
  }
  return { ...fetched, ...Object.fromEntries(given) };
}

/** Bytes. To discard takes some microseconds. */
const leastDiscarded = 65_536;
