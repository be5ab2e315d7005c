import { allocate, elementCount } from "@ringrank/model/weights";
import type { Entry, LocalValue } from "@ringrank/policy";
import { type Bindings, bindSizes, resolveSizes } from "../execution/size-product.js";
import { integers } from "../tensors/element-types.js";
import { type Tensor, tensor, tensorData } from "../tensors/tensor.js";
import { names, tokenInputs } from "./interface-names.js";
import { positions } from "./step-inputs.js";

/**
 * The inputs of a whole run: the given ones, and the empty values of those that are omitted. Attention sees every
 * token, positions count from 0, the cache has no rows, and logits are computed for all positions or for the last one
 * of each sequence.
 *
 * @throws RR_SHAPE if a missing input needs a size that no other input determines
 */
export function runInputs(
  entry: Entry,
  given: ReadonlyMap<string, Tensor>,
  logits: "all" | "last",
): Map<string, Tensor> {
  const inputs = new Map(given);
  const bindings: Bindings = new Map();
  for (const declared of entry.inputs) {
    const value = given.get(declared.name);
    if (value !== undefined) bindSizes(declared, value.dims, bindings);
  }
  emptyPast(entry, given, bindings);

  const tokens = tokenInputs(entry);
  const [batch = 1, sequence = 1] = given.get(tokens.ids)?.dims ?? [];
  for (const declared of entry.inputs) {
    if (inputs.has(declared.name)) continue;
    inputs.set(declared.name, fill(declared));
  }
  return inputs;

  function fill(declared: LocalValue): Tensor {
    if (declared.name === names.logitRows) {
      const rows =
        logits === "all" ? positions(0, batch * sequence) : lastRows(given.get(tokens.mask), batch, sequence);
      return tensor(declared.type, integers(declared.type, rows), [rows.length]);
    }
    const dims = resolveSizes(declared.dims, bindings);
    const count = elementCount(dims);
    // This includes the other mask: a graph in one part may read a source and its target.
    if (declared.name === names.attentionMask || declared.name === names.decoderAttentionMask) {
      return tensor(declared.type, integers(declared.type, new Array<number>(count).fill(1)), dims);
    }
    if (declared.name === names.positionIds) {
      const width = dims.at(-1)!;
      const values = Array.from({ length: count }, (_, at) => at % width);
      return tensor(declared.type, integers(declared.type, values), dims);
    }
    // Cache inputs have no rows; any other omitted input, such as token types, is zero.
    return tensor(declared.type, allocate(declared.type, count), dims);
  }
}

/** The row of each sequence's last token in the flattened `[batch · sequence]`, ignoring padding. */
export function lastRows(mask: Tensor | undefined, batch: number, sequence: number): number[] {
  const data = mask && tensorData(mask);
  return Array.from({ length: batch }, (_, row) => {
    let last = sequence - 1;
    while (data !== undefined && last > 0 && Number(data[row * sequence + last]) === 0) last--;
    return row * sequence + last;
  });
}

/** Binds the sizes that only caches have, such as `past`, to 0. */
function emptyPast(entry: Entry, given: ReadonlyMap<string, Tensor>, bindings: Bindings): void {
  const declared = new Map(entry.inputs.map((value) => [value.name, value]));
  for (const cache of entry.caches) {
    const axes: [string, number][] = [
      [cache.positions, 1],
      ...cache.states.map(({ past, axis }): [string, number] => [past, axis]),
    ];
    for (const [name, axis] of axes) {
      if (given.has(name)) continue;
      for (const symbol of declared.get(name)?.dims[axis]?.symbols ?? []) {
        if (!bindings.has(symbol)) bindings.set(symbol, 0);
      }
    }
  }
}
