import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, separateHeads } from "./attention.js";
import { linear } from "./projections.js";

/** Queries, `[batch, heads, sequence, headDim]`; keys and values, `[batch, keyValueHeads, sequence, headDim]`. */
export interface QueryKeyValue {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

interface SeparateProjections {
  /** Of the module that holds `q_proj`, `k_proj` and `v_proj`. */
  readonly prefix: string;
  readonly shape: AttentionShape;
  readonly bias: boolean;
}

/** A matrix each. */
export function projectSeparately(
  context: ModelContext,
  x: Value,
  { prefix, shape, bias }: SeparateProjections,
): QueryKeyValue {
  const { width, heads, keyValueHeads, headDim } = shape;
  const project = (name: string, count: number): Value => {
    const projection = { name: `${prefix}.${name}`, inputs: width, outputs: count * headDim, bias };
    return separateHeads(context.g, linear(context, x, projection), count, headDim);
  };
  return {
    query: project("q_proj", heads),
    key: project("k_proj", keyValueHeads),
    value: project("v_proj", keyValueHeads),
  };
}

/** How many lanes a fused projection has. */
export function fusedLanes({ heads, keyValueHeads, headDim }: AttentionShape): number {
  return (heads + 2 * keyValueHeads) * headDim;
}

/** From one projection whose lanes are `(query | key | value)`, heads within each. Weights stay as stored. */
export function splitParts(g: GraphBuilder, fused: Value, shape: AttentionShape): QueryKeyValue {
  const { heads, keyValueHeads, headDim } = shape;
  const counts = [heads, keyValueHeads, keyValueHeads];
  const parts = g.split(
    fused,
    counts.map((count) => count * headDim),
    2,
  );
  const [query, key, value] = parts.map((part, i) => separateHeads(g, part, counts[i]!, headDim));
  return { query: query!, key: key!, value: value! };
}

/**
 * From one projection whose lanes are `[keyValueHead, (queries of the group | key | value), lane]`; without
 * groups that is `[head, (query | key | value), lane]`. Weights stay as stored.
 */
export function splitGroups(g: GraphBuilder, fused: Value, shape: AttentionShape): QueryKeyValue {
  const { heads, keyValueHeads, headDim } = shape;
  const group = heads / keyValueHeads;
  const grouped = g.reshape(fused, [0, 0, keyValueHeads, group + 2, headDim]);
  const [query, key, value] = g.split(g.transpose(grouped, [0, 2, 3, 1, 4]), [group, 1, 1], 2);
  return {
    query: g.reshape(query!, [0, heads, -1, headDim]),
    key: g.squeeze(key!, [2]),
    value: g.squeeze(value!, [2]),
  };
}
