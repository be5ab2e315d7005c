import { RingrankError } from "@ringrank/errors";
import type { Entry } from "@ringrank/policy";
import type { CompiledEntry } from "../execution/compiled-entry.js";
import { integers } from "../tensors/element-types.js";
import { type Tensor, tensor, tensorData } from "../tensors/tensor.js";

/**
 * The entry that fills caches of `entry`, and so runs before it, once per sequence: an encoder, for a decoder's
 * cross-attention. Undefined if `entry` fills its caches itself.
 *
 * @throws RR_POLICY if the program has no such entry, or caches name two
 */
export function fillingEntry(
  { caches }: Entry,
  entries: ReadonlyMap<string, CompiledEntry>,
): CompiledEntry | undefined {
  const fillers = [...new Set(caches.flatMap(({ filledBy }) => filledBy ?? []))];
  const [name] = fillers;
  if (name === undefined) return undefined;
  const filling = entries.get(name);
  if (filling !== undefined && fillers.length === 1) return filling;
  throw new RingrankError(
    "RR_POLICY",
    `expected one entry of the program to fill caches, got ${fillers.join(", ")}; it has ` +
      `${[...entries.keys()].join(", ")}`,
  );
}

/**
 * The outputs of the filling entry as cache inputs of `entry`, without a cache in between: rows as they are, each at
 * its own index, or at −1 if the mask has padding.
 *
 * @param mask int64 `[batch, rows]` of the filling entry's tokens, 0 for padding
 */
export function filledInputs(
  entry: Entry,
  outputs: ReadonlyMap<string, Tensor>,
  mask: Tensor,
): Map<string, Tensor> {
  const inputs = new Map<string, Tensor>();
  const kept = tensorData(mask);
  const width = mask.dims.at(-1)!;
  const positions = Array.from({ length: kept.length }, (_, at) =>
    Number(kept[at]) === 0 ? -1 : at % width,
  );
  for (const { filledBy, positions: name, states } of entry.caches) {
    if (filledBy === undefined) continue;
    const declared = entry.inputs.find((input) => input.name === name);
    if (declared) inputs.set(name, tensor(declared.type, integers(declared.type, positions), mask.dims));
    for (const { past, present } of states) {
      const rows = outputs.get(present);
      if (rows !== undefined) inputs.set(past, rows);
    }
  }
  return inputs;
}
