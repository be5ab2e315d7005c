import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, separateHeads } from "./attention.js";
import { linear, type Project } from "./projections.js";

/** Queries, `[batch, heads, sequence, headDim]`; keys and values, `[batch, keyValueHeads, sequence, headDim]`. */
export interface QueryKeyValue {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** What the context is multiplied by the sigmoid of, `[batch, sequence, heads · headDim]`; absent for nothing. */
  readonly gate?: Value;
}

/** Queries, keys and values of `x`, `[batch, sequence, width]`, by the attention called `module`. */
export type ProjectHeads = (x: Value, module: string) => QueryKeyValue;

/** A matrix each: `q_proj`, `k_proj`, `v_proj`. */
export function separateProjections(
  context: ModelContext,
  { width, heads, keyValueHeads, headDim }: AttentionShape,
  bias: boolean,
): ProjectHeads {
  return (x, module) => {
    const project = (name: string, count: number): Value => {
      const projection = { name: `${module}.${name}`, inputs: width, outputs: count * headDim, bias };
      return separateHeads(context.g, linear(context, x, projection), count, headDim);
    };
    return {
      query: project("q_proj", heads),
      key: project("k_proj", keyValueHeads),
      value: project("v_proj", keyValueHeads),
    };
  };
}

/**
 * A matrix each, that of queries with a gate beside every head: `[head, (query | gate), lane]`. `q_proj`, `k_proj`,
 * `v_proj`.
 */
export function gatedProjections(
  context: ModelContext,
  { width, heads, keyValueHeads, headDim }: AttentionShape,
  bias: boolean,
): ProjectHeads {
  const { g } = context;
  return (x, module) => {
    const project = (name: string, outputs: number): Value =>
      linear(context, x, { name: `${module}.${name}`, inputs: width, outputs, bias });
    const both = g.reshape(project("q_proj", 2 * heads * headDim), [0, 0, heads, 2 * headDim]);
    const [query, gate] = g.split(both, [headDim, headDim], 3);
    const keyed = (name: string): Value =>
      separateHeads(g, project(name, keyValueHeads * headDim), keyValueHeads, headDim);
    return {
      query: g.transpose(query!, [0, 2, 1, 3]),
      key: keyed("k_proj"),
      value: keyed("v_proj"),
      gate: g.reshape(gate!, [0, 0, heads * headDim]),
    };
  };
}

interface FusedProjection {
  /** Of the one matrix, within attention. */
  readonly name: string;
  /** Default true. */
  readonly bias?: boolean;
  /** How it is stored. Default: as torch's `Linear`. */
  readonly project?: Project;
  /** How its lanes are cut into heads. */
  readonly split: (g: GraphBuilder, fused: Value, shape: AttentionShape) => QueryKeyValue;
}

/** One matrix for queries, keys and values, kept as it is stored: what comes of it is cut. */
export function fusedProjection(
  context: ModelContext,
  shape: AttentionShape,
  { name, bias = true, project = linear, split }: FusedProjection,
): ProjectHeads {
  const { width, heads, keyValueHeads, headDim } = shape;
  const outputs = (heads + 2 * keyValueHeads) * headDim;
  return (x, module) => {
    const fused = project(context, x, { name: `${module}.${name}`, inputs: width, outputs, bias });
    return split(context.g, fused, shape);
  };
}

/** Lanes `(query | key | value)`, heads within each. */
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
 * Lanes `[keyValueHead, (queries of the group | key | value), lane]`; without groups that is
 * `[head, (query | key | value), lane]`.
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
