import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, attend, joinHeads, separateHeads } from "./attention.js";
import { type CachedRows, CausalCaches } from "./causal-cache.js";
import type { CausalStep } from "./causal-step.js";
import type { Sublayer } from "./decoder.js";
import { plainRmsNorms, rmsNorms } from "./norms.js";
import { linear } from "./projections.js";
import { type RotaryAngles, rotate } from "./rotary.js";

/** What layers of the same type have in common. */
export interface SharedAttentionType {
  readonly shape: AttentionShape;
  readonly angles: RotaryAngles;
  /** How many positions a query sees, including its own; undefined for all. */
  readonly window: number | undefined;
  /** Whether values are the projected keys, before their norm and rotation. */
  readonly valuesAreKeys: boolean;
}

interface SharedAttention {
  readonly step: CausalStep;
  /** The type of a layer, by identity: layers of one type return the same object. */
  readonly typeOf: (layer: number) => SharedAttentionType;
  /**
   * The first layer without keys and values of its own. It reads those of the last layer of its type below this one.
   */
  readonly firstShared: number;
  /** Whether all projections have biases. */
  readonly bias: boolean;
}

/**
 * Attention whose upper layers read the keys and values of a lower one (https://arxiv.org/abs/2405.12981). Queries,
 * keys and values are normed per head, the values without weights. Scores are not scaled.
 */
export function sharedAttention(context: ModelContext, options: SharedAttention): Sublayer {
  const { g } = context;
  const { step, typeOf, firstShared, bias } = options;
  const caches = new CausalCaches(g, step);
  /** The rows of the last layer of each type that computed its own. */
  const made = new Map<SharedAttentionType, { readonly key: CachedRows; readonly value: CachedRows }>();

  const makeRows = (x: Value, layer: number, module: string) => {
    const { shape, angles, window, valuesAreKeys } = typeOf(layer);
    const { width, keyValueHeads: heads, headDim } = shape;
    const project = (name: string): Value => {
      const projection = { name: `${module}.${name}`, inputs: width, outputs: heads * headDim, bias };
      return separateHeads(g, linear(context, x, projection), heads, headDim);
    };
    const cache = caches.get(window);
    const keys = project("k_proj");
    const normedKeys = rmsNorms(context, headDim)(keys, `${module}.k_norm`);
    const values = plainRmsNorms(context, headDim)(
      valuesAreKeys ? keys : project("v_proj"),
      `${module}.v_norm`,
    );
    return {
      key: cache.append(`${layer}.key`, rotate(g, normedKeys, angles), heads, headDim),
      value: cache.append(`${layer}.value`, values, heads, headDim),
    };
  };

  return (x, layer) => {
    const module = `${layer.module}.self_attn`;
    const type = typeOf(layer.index);
    const { width, heads, headDim } = type.shape;
    const lanes = heads * headDim;
    if (layer.index < firstShared) made.set(type, makeRows(x, layer.index, module));
    const rows = made.get(type);
    if (rows === undefined) {
      throw context.config.error(
        `layer ${layer.index} shares keys and values, but no layer of its type below layer ${firstShared} has any`,
      );
    }
    const projection = { name: `${module}.q_proj`, inputs: width, outputs: lanes, bias };
    const queries = separateHeads(g, linear(context, x, projection), heads, headDim);
    const normed = rmsNorms(context, headDim)(queries, `${module}.q_norm`);
    const cache = caches.get(type.window);
    const query = rotate(g, normed, type.angles);
    const mixed = attend(g, { ...rows, query, shape: type.shape, cache, scale: 1 });
    const output = { name: `${module}.o_proj`, inputs: lanes, outputs: width, bias };
    return linear(context, joinHeads(g, mixed, heads, headDim), output);
  };
}

/** Ignores the unused key and value tensors that checkpoints still contain for layers that share these. */
export function unusedByShared(context: ModelContext, firstShared: number, layers: number): void {
  for (let layer = firstShared; layer < layers; layer++) {
    for (const name of ["k_proj.weight", "k_proj.bias", "v_proj.weight", "v_proj.bias", "k_norm.weight"]) {
      context.parameters.ignore(`model.layers.${layer}.self_attn.${name}`);
    }
  }
}
