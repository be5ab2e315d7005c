import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, joinHeads, separateHeads } from "./attention.js";
import { linear } from "./projections.js";

interface Attend {
  /** `[batch, heads, queries, headDim]`. */
  readonly query: Value;
  /** `[batch, heads, keys, headDim]`, as is `value`. */
  readonly key: Value;
  readonly value: Value;
  readonly shape: AttentionShape;
  /** Of the scores. Default `1 / √headDim`. */
  readonly scale?: number;
  /** Added to the scores, each broadcast to `[batch, heads, queries, keys]`: a mask, and what else there is. */
  readonly biases: readonly Value[];
}

/**
 * Attention that keeps nothing for later steps (https://arxiv.org/abs/1706.03762),
 * `[batch, queries, heads · headDim]`.
 */
export function attend(g: GraphBuilder, { query, key, value, shape, scale, biases }: Attend): Value {
  const { heads, headDim } = shape;
  const scores = g.matmulTransposed(query, key, scale ?? 1 / Math.sqrt(headDim));
  const biased = biases.reduce((sum, bias) => g.add(sum, bias), scores);
  return joinHeads(g, g.matmul(g.softmax(biased), value), heads, headDim);
}

/** Module names. */
export interface AttentionModules {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
}

interface SelfAttention {
  readonly modules: AttentionModules;
  readonly shape: AttentionShape;
  readonly biases: readonly Value[];
  /** Applied to queries and keys, `[batch, heads, sequence, headDim]`. */
  readonly rotate?: (x: Value) => Value;
}

/** Attention over all of the row, with projections of their own and biases: `[batch, sequence, width]` to the same. */
export function encoderSelfAttention(context: ModelContext, x: Value, options: SelfAttention): Value {
  const { g } = context;
  const { modules, shape, biases, rotate = (x) => x } = options;
  const { width, heads, headDim } = shape;
  const project = (name: string): Value =>
    separateHeads(g, linear(context, x, { name, inputs: width, outputs: width }), heads, headDim);
  const mixed = attend(g, {
    query: rotate(project(modules.query)),
    key: rotate(project(modules.key)),
    value: project(modules.value),
    shape,
    biases,
  });
  return linear(context, mixed, { name: modules.output, inputs: width, outputs: width });
}
