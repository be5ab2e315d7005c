import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, separateHeads } from "./attention.js";
import { linear, type Project } from "./projections.js";

/** Queries, `[batch, heads, sequence, headDim]`; keys and values, `[batch, keyValueHeads, sequence, headDim]`. */
export interface QueryKeyValue {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** Its sigmoid gates attention's output, `[batch, sequence, heads · headDim]`; absent if there is no gate. */
  readonly gate?: Value;
}

/** Projects `x`, `[batch, sequence, width]`, to queries, keys and values. `module` is the attention's name. */
export type ProjectHeads = (x: Value, module: string) => QueryKeyValue;

/** Separate matrices: `q_proj`, `k_proj`, `v_proj`. */
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
 * Separate matrices `q_proj`, `k_proj`, `v_proj`, the first with a gate next to each query head: `[head, (query |
 * gate), lane]`.
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
  /** The matrix's name within attention. */
  readonly name: string;
  /** Default true. */
  readonly bias?: boolean;
  /** How the matrix is stored. Default: as torch's `Linear`. */
  readonly project?: Project;
  /** Splits the projection's output into heads. */
  readonly split: (g: GraphBuilder, fused: Value, shape: AttentionShape) => QueryKeyValue;
}

/** One matrix for queries, keys and values. The matrix stays as it is stored; its output is split. */
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
 * Lanes `[keyValueHead, (queries of the group | key | value), lane]`; with one query head per group that is `[head,
 * (query | key | value), lane]`.
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
