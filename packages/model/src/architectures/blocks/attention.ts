import { type ConfigReader, configLimits } from "../../checkpoint/index.js";
import type { GraphBuilder, Value } from "../../graph/index.js";
import type { CachedRows, CausalCache } from "./causal-cache.js";
import type { Prompt } from "./prompt.js";
import { type RotaryAngles, rotate } from "./rotary.js";

/** The sizes of attention and everything around it. */
export interface AttentionShape {
  readonly layers: number;
  /** Of the residual stream. */
  readonly width: number;
  /** Number of query heads. */
  readonly heads: number;
  /** Number of key and value heads; a divisor of `heads`. */
  readonly keyValueHeads: number;
  /** Lanes per head. */
  readonly headDim: number;
}

/** More heads or lanes than this are a mistake, or meant to exhaust memory. */
const maxHeads = 2 ** 16;
const maxLanes = 2 ** 16;

/**
 * The shape of a model in which every head has its own keys and values, and heads divide the width.
 *
 * @throws RR_CONFIG unless the counts are consistent
 */
export function multiHeadShape(config: ConfigReader, defaultLayers?: number): AttentionShape {
  const { layers, width, heads } = countsOf(config, defaultLayers);
  const headDim = width / heads;
  if (!Number.isInteger(headDim) || headDim > maxLanes) {
    throw config.error(
      `${heads} heads with a width of ${width}: expected a whole number of lanes per head, up to ${maxLanes}`,
    );
  }
  return { layers, width, heads, keyValueHeads: heads, headDim };
}

/**
 * The shape of a model whose config may group heads (`num_key_value_heads`) and set their size (`head_dim`). Null in
 * the former means one key head per head; in the latter, that heads divide the width.
 *
 * @param defaults used if the config does not say; default: as for null
 * @throws RR_CONFIG unless the counts are consistent
 */
export function groupedShape(
  config: ConfigReader,
  defaults: Partial<Pick<AttentionShape, "headDim" | "keyValueHeads" | "layers">> = {},
): AttentionShape {
  const unlessNull = (name: string, value: number | undefined) => (config.isNull(name) ? undefined : value);
  const headDim =
    config.optionalInteger("head_dim", { max: maxLanes }) ?? unlessNull("head_dim", defaults.headDim);
  const { layers } = defaults;
  const shape =
    headDim === undefined ? multiHeadShape(config, layers) : { ...countsOf(config, layers), headDim };
  const keyValueHeads = config.integer("num_key_value_heads", {
    max: maxHeads,
    default: unlessNull("num_key_value_heads", defaults.keyValueHeads) ?? shape.heads,
  });
  if (shape.heads % keyValueHeads !== 0) {
    throw config.error(
      `expected "num_attention_heads" to be a multiple of "num_key_value_heads", got ${shape.heads} and ` +
        `${keyValueHeads}`,
    );
  }
  return { ...shape, keyValueHeads };
}

/** The counts that every model has, under any of their names. */
export function countsOf(
  config: ConfigReader,
  defaultLayers?: number,
): Pick<AttentionShape, "layers" | "width" | "heads"> {
  return {
    layers: config.integer(["num_hidden_layers", "n_layer", "n_layers", "num_layers"], {
      max: configLimits.layers,
      ...(defaultLayers === undefined ? {} : { default: defaultLayers }),
    }),
    // BLOOM's first configs use n_embed, which takes precedence there.
    width: config.integer(["n_embed", "n_embd", "hidden_size", "d_model", "dim", "emb_dim"]),
    heads: config.integer(["num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads"], {
      max: maxHeads,
    }),
  };
}

/** `[batch, sequence, heads · headDim]` to `[batch, heads, sequence, headDim]`. */
export function separateHeads(g: GraphBuilder, x: Value, heads: number, headDim: number): Value {
  return g.transpose(g.reshape(x, [0, 0, heads, headDim]), [0, 2, 1, 3]);
}

/** `[batch, heads, sequence, headDim]` to `[batch, sequence, heads · headDim]`. */
export function joinHeads(g: GraphBuilder, x: Value, heads: number, headDim: number): Value {
  return g.reshape(g.transpose(x, [0, 2, 1, 3]), [0, 0, heads * headDim]);
}

/** How scores become attention weights. */
interface Scoring {
  readonly cache: CausalCache;
  /** Of the scores. Default `1 / √headDim`. */
  readonly scale?: number | undefined;
  /** Scores are soft-capped to ±cap, `cap · tanh(score / cap)`. Default: no cap. */
  readonly scoreCap?: number | undefined;
  /** An additional score for each head that competes with those of the keys but has no value, float32 `[heads]`. */
  readonly sinks?: Value | undefined;
  /** Keys and values that every query sees, too; then there are no `sinks`. Default: none. */
  readonly prompt?: Prompt | undefined;
  /** Added to the scores, each broadcast to `[batch, heads, sequence, past + sequence]`. */
  readonly biases?: readonly Value[];
}

interface Attention extends Scoring {
  /** `[batch, heads, sequence, headDim]`. */
  readonly query: Value;
  /** New rows only, `[batch, keyValueHeads, sequence, headDim]`. */
  readonly key: Value;
  /** As `key`. */
  readonly value: Value;
  /** Rotate queries and keys. Default: none. */
  readonly angles?: RotaryAngles | undefined;
  readonly layer: number;
  readonly shape: AttentionShape;
}

/** Causal attention over the cache, which also stores the new rows: `[batch, sequence, heads · headDim]`. */
export function attention(g: GraphBuilder, options: Attention): Value {
  const { layer, cache, shape, angles } = options;
  const { heads, keyValueHeads, headDim } = shape;
  const turn = (x: Value): Value => (angles === undefined ? x : rotate(g, x, angles));
  const query = turn(options.query);
  const key = cache.append(`${layer}.key`, turn(options.key), keyValueHeads, headDim);
  const value = cache.append(`${layer}.value`, options.value, keyValueHeads, headDim);
  return joinHeads(g, attend(g, { ...options, query, key, value }), heads, headDim);
}

interface Attending extends Scoring {
  /** `[batch, heads, sequence, headDim]`. */
  readonly query: Value;
  /** Of `keyValueHeads`. */
  readonly key: CachedRows;
  /** As `key`. */
  readonly value: CachedRows;
  readonly shape: Pick<AttentionShape, "heads" | "keyValueHeads" | "headDim">;
  /** Added to the scores instead of the cache's mask. */
  readonly mask?: Value | undefined;
}

/**
 * Causal attention over past and new rows (https://arxiv.org/abs/1706.03762, https://arxiv.org/abs/2305.13245),
 * `[batch, heads, sequence, headDim]`.
 *
 * Scores over the past and over the new rows are computed apart and share one softmax, so the cache is never
 * copied. The queries of a group are stacked as rows, `[batch, keyValueHeads, group · sequence, headDim]`, so
 * keys and values are never repeated.
 *
 * ```
 *   q·pastKᵀ | q·newKᵀ  → + biases + mask (| sink) → softmax → p | n (| lost)  → p·pastV + n·newV
 *
 *   with a prompt:            … (| q·promptKᵀ) → softmax → p | n | r  → p·pastV + n·newV + r·promptV
 * ```
 */
export function attend(g: GraphBuilder, options: Attending): Value {
  const { query, key, value, shape, cache, scoreCap: cap, sinks, prompt, biases = [] } = options;
  const mask = options.mask ?? cache.mask;
  const { heads, keyValueHeads, headDim } = shape;
  const scale = options.scale ?? 1 / Math.sqrt(headDim);
  const grouped = heads !== keyValueHeads;
  const stack = (x: Value, last: number): Value => (grouped ? g.reshape(x, [0, keyValueHeads, -1, last]) : x);
  const unstack = (x: Value, last: number): Value => (grouped ? g.reshape(x, [0, heads, -1, last]) : x);

  const q = stack(query, headDim);
  const score = (rows: Value): Value => g.matmulTransposed(q, rows, scale / (cap ?? 1));
  const scores = g.concat([score(key.past), score(key.present)], 3);
  const capped = cap === undefined ? scores : g.mul(g.tanh(scores), g.numbers([cap]));
  const biased = [...biases, mask].reduce((sum, bias) => g.add(sum, bias), unstack(capped, 0));
  const others = prompt
    ? { scores: unstack(score(prompt.key), 0), count: prompt.length }
    : sinks && { scores: cache.perQuery(sinks, heads), count: 1 };
  const competing = others === undefined ? biased : g.concat([biased, others.scores], 3);
  const weights = stack(g.softmax(competing), 0);
  const [overPast, overNew, overOthers] =
    others === undefined
      ? g.splitBy(weights, cache.lengths, 2, 3)
      : g.splitBy(weights, g.concat([cache.lengths, g.integers([others.count])], 0), 3, 3);
  const ofTokens = g.add(g.matmul(overPast!, value.past), g.matmul(overNew!, value.present));
  const mixed = prompt === undefined ? ofTokens : g.add(ofTokens, g.matmul(overOthers!, prompt.value));
  return unstack(mixed, headDim);
}
