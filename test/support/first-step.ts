import { type Graph, interfaceNames } from "@ringrank/model";
import { allocate } from "@ringrank/model/weights";
import type { EmulatedTensor } from "./emulation/emulated-tensor.js";

/**
 * The inputs of a causal graph's first step, or that of an encoder–decoder's `decode`: every token of `ids`, logits of
 * every row, empty caches, states of zero.
 *
 * @param ids `[batch][sequence]`, without padding
 */
export function firstStep(graph: Graph, ids: readonly (readonly number[])[]): Record<string, EmulatedTensor> {
  const sizes = [ids.length, ids[0]!.length];
  const rows = ids.flat().map((_, row) => row);
  const tokens = int64(ids.flat(), sizes);
  const mask = int64(Array<number>(rows.length).fill(1), sizes);
  const known: Record<string, EmulatedTensor> = {
    [interfaceNames.inputIds]: tokens,
    [interfaceNames.attentionMask]: mask,
    [interfaceNames.decoderInputIds]: tokens,
    [interfaceNames.decoderAttentionMask]: mask,
    [interfaceNames.positionIds]: int64(
      ids.flatMap((row) => [...row.keys()]),
      sizes,
    ),
    [interfaceNames.logitRows]: int64(rows, [rows.length]),
  };
  const inputs = graph.inputs.map(({ name, type, dims }): [string, EmulatedTensor] => {
    const sizes = dims.map((dim) => (dim === "batch" ? ids.length : typeof dim === "string" ? 0 : dim));
    const count = sizes.reduce((product, size) => product * size, 1);
    return [
      name,
      known[name] ?? { type: type as "int64" | "float32", dims: sizes, data: allocate(type, count) },
    ];
  });
  return Object.fromEntries(inputs);
}

export function int64(values: readonly number[], dims: readonly number[]): EmulatedTensor {
  return { type: "int64", dims, data: BigInt64Array.from(values, BigInt) };
}
