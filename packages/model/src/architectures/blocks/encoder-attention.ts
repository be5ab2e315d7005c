import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, joinHeads, separateHeads } from "./attention.js";
import { linear } from "./projections.js";
import type { Prompt } from "./prompt.js";

interface Attend {
  /** `[batch, heads, queries, headDim]`. */
  readonly query: Value;
  /** `[batch, keyValueHeads, keys, headDim]`, as is `value`. */
  readonly key: Value;
  readonly value: Value;
  readonly shape: AttentionShape;
  /** Of the scores. Default `1 / √headDim`. */
  readonly scale?: number | undefined;
  /** Added to the scores, each broadcast to `[batch, heads, queries, keys]`: a mask, and any position biases. */
  readonly biases: readonly Value[];
  /** Keys and values that every query sees, too; then there are as many key heads as heads. Default: none. */
  readonly prompt?: Prompt | undefined;
}

/**
 * Attention without a cache (https://arxiv.org/abs/1706.03762, https://arxiv.org/abs/2305.13245): `[batch, queries,
 * heads · headDim]`. Queries that share a key head are stacked as rows, as in a decoder (`attention.ts`).
 */
export function attend(
  g: GraphBuilder,
  { query, key, value, shape, biases, prompt, ...options }: Attend,
): Value {
  const { heads, keyValueHeads, headDim } = shape;
  const scale = options.scale ?? 1 / Math.sqrt(headDim);
  const grouped = heads !== keyValueHeads;
  const stack = (x: Value, last: number): Value => (grouped ? g.reshape(x, [0, keyValueHeads, -1, last]) : x);
  const unstack = (x: Value, last: number): Value => (grouped ? g.reshape(x, [0, heads, -1, last]) : x);
  const scores = unstack(g.matmulTransposed(stack(query, headDim), key, scale), 0);
  const biased = biases.reduce((sum, bias) => g.add(sum, bias), scores);
  const mix = (): Value => {
    if (prompt === undefined) return unstack(g.matmul(stack(g.softmax(biased), 0), value), headDim);
    const weights = g.softmax(g.concat([biased, g.matmulTransposed(query, prompt.key, scale)], 3));
    const lengths = g.concat([g.shape(key, 2, 3), g.integers([prompt.length])], 0);
    const [overTokens, overPrompt] = g.splitBy(weights, lengths, 2, 3);
    return g.add(g.matmul(overTokens!, value), g.matmul(overPrompt!, prompt.value));
  };
  return joinHeads(g, mix(), heads, headDim);
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
  /** Of all projections. Default true. */
  readonly bias?: boolean;
  /** Of the output projection. Default: `bias`. */
  readonly outputBias?: boolean;
  /** Of the scores. Default `1 / √headDim`. */
  readonly scale?: number;
  /** Added to the scores, as in {@link attend}. */
  readonly biases: readonly Value[];
  /** As in {@link attend}. */
  readonly prompt?: Prompt | undefined;
  /** Applied to queries and keys, `[batch, heads, sequence, headDim]`. */
  readonly rotate?: (x: Value) => Value;
  /** Whether it is applied to values, too. Default false. */
  readonly rotateValues?: boolean;
}

/** Bidirectional self-attention with separate projections: `[batch, sequence, width]` to the same. */
export function encoderSelfAttention(context: ModelContext, x: Value, options: SelfAttention): Value {
  const { g } = context;
  const { modules, shape, scale, biases, prompt, bias = true, rotate = (x) => x } = options;
  const { outputBias = bias, rotateValues = false } = options;
  const project = (name: string): Value => projectHeads(context, x, { name, shape, bias });
  const value = project(modules.value);
  const mixed = attend(g, {
    query: rotate(project(modules.query)),
    key: rotate(project(modules.key)),
    value: rotateValues ? rotate(value) : value,
    shape,
    scale,
    biases,
    prompt,
  });
  return mergeHeads(context, mixed, { name: modules.output, shape, bias: outputBias });
}

interface HeadProjection {
  readonly name: string;
  readonly shape: AttentionShape;
  readonly bias: boolean;
}

/** `[batch, sequence, width]` to `[batch, heads, sequence, headDim]`. */
export function projectHeads(context: ModelContext, x: Value, { name, shape, bias }: HeadProjection): Value {
  const { width, heads, headDim } = shape;
  const projected = linear(context, x, { name, inputs: width, outputs: heads * headDim, bias });
  return separateHeads(context.g, projected, heads, headDim);
}

/** The output projection: the joined heads, `[batch, sequence, heads · headDim]`, to `[batch, sequence, width]`. */
export function mergeHeads(context: ModelContext, x: Value, { name, shape, bias }: HeadProjection): Value {
  const { width, heads, headDim } = shape;
  return linear(context, x, { name, inputs: heads * headDim, outputs: width, bias });
}
