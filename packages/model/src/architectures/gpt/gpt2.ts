import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { type AttentionShape, attention, multiHeadShape } from "../blocks/attention.js";
import { CausalCaches } from "../blocks/causal-cache.js";
import { causalStep } from "../blocks/causal-step.js";
import { embedding } from "../blocks/embedding.js";
import { feedForward } from "../blocks/feed-forward.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { layerNorm } from "../blocks/norms.js";
import { conv1d } from "../blocks/projections.js";
import { fusedLanes, type QueryKeyValue, splitParts } from "../blocks/query-key-value.js";

/** https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf */
export const gpt2: Architecture = {
  build(context) {
    const { config } = context;
    const shape = multiHeadShape(config);
    const byLayer = config.boolean("scale_attn_by_inverse_layer_idx", { default: false });
    buildGpt2(context, {
      shape,
      project: conv1d,
      queryKeyValue: conv1dParts(context, shape),
      scale: (layer) => configuredScale(context, shape) / (byLayer ? layer + 1 : 1),
      inner: config.optionalInteger("n_inner") ?? 4 * shape.width,
      activation: config.string("activation_function", { default: "gelu_new" }),
    });
  },
  // The causal mask was once kept as a buffer.
  ignoredTensors: [/(^|\.)h\.\d+\.attn\.(masked_)?bias$/],
};

/** Where GPT-2's relatives differ. */
interface Gpt2Differences {
  readonly shape: AttentionShape;
  /** How matrices are stored. */
  readonly project: typeof conv1d;
  /** Queries, keys and values of `x`; `module` is that of the layer's attention. */
  readonly queryKeyValue: (x: Value, module: string) => QueryKeyValue;
  /** The attention's output projection, within its layer. Default `attn.c_proj`. */
  readonly output?: string;
  /** Of the scores. Default `1 / √headDim`. */
  readonly scale?: (layer: number) => number;
  /** How many positions a layer sees, itself included; undefined for all. Default: all. */
  readonly window?: (layer: number) => number | undefined;
  /** Of the feed-forward. */
  readonly inner: number;
  readonly activation: string;
  /** Names of the tables. Default `wte` and `wpe`. */
  readonly tables?: { readonly tokens: string; readonly positions: string };
  /** Whether norms stand after each sublayer and its residual, and not before; then there is none at the end. */
  readonly normsAfter?: boolean;
}

/** Learned positions, LayerNorm, plain feed-forward, serial residuals, a tied head. */
export function buildGpt2(context: ModelContext, differences: Gpt2Differences): void {
  const { g, config } = context;
  if (config.boolean("add_cross_attention", { default: false })) {
    throw config.error('"add_cross_attention" is set, which only an encoder–decoder has; expected false');
  }
  const { shape, project, inner, activation, output = "attn.c_proj", normsAfter = false } = differences;
  const { tokens, positions } = differences.tables ?? { tokens: "wte", positions: "wpe" };
  const { width } = shape;
  const epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-5 });
  const norm = (x: Value, name: string): Value =>
    layerNorm(context, x, { name: `transformer.${name}`, width, epsilon });

  const step = causalStep(g);
  const caches = new CausalCaches(g, step);
  const table = { name: `transformer.${tokens}.weight`, rows: config.integer("vocab_size"), width };
  const positionTable = {
    name: `transformer.${positions}.weight`,
    rows: config.integer(["n_positions", "max_position_embeddings"]),
    width,
  };
  const attend = (x: Value, layer: number): Value => {
    const mixed = attention(g, {
      ...differences.queryKeyValue(x, `transformer.h.${layer}.attn`),
      layer,
      cache: caches.get(differences.window?.(layer)),
      shape,
      scale: differences.scale?.(layer),
    });
    const name = `transformer.h.${layer}.${output}`;
    return project(context, mixed, { name, inputs: width, outputs: width });
  };
  const feed = (x: Value, layer: number): Value => {
    const module = `transformer.h.${layer}.mlp`;
    const modules = { up: `${module}.c_fc`, down: `${module}.c_proj` };
    return feedForward(context, x, { project, ...modules, width, inner, activation });
  };

  let x = g.add(
    embedding(context, step.inputIds, table),
    embedding(context, step.positionIds, positionTable),
  );
  for (let layer = 0; layer < shape.layers; layer++) {
    const names = { attention: `h.${layer}.ln_1`, feedForward: `h.${layer}.ln_2` };
    if (normsAfter) {
      x = norm(g.add(x, attend(x, layer)), names.attention);
      x = norm(g.add(x, feed(x, layer)), names.feedForward);
    } else {
      x = g.add(x, attend(norm(x, names.attention), layer));
      x = g.add(x, feed(norm(x, names.feedForward), layer));
    }
  }
  const rows = selectRows(g, x, step, width);
  languageHead(context, normsAfter ? rows : norm(rows, "ln_f"), {
    table,
    separate: "lm_head.weight",
    tiedByDefault: true,
  });
}

/** Of the scores, as `scale_attn_weights` says. */
export function configuredScale({ config }: ModelContext, { headDim }: AttentionShape): number {
  return config.boolean("scale_attn_weights", { default: true }) ? 1 / Math.sqrt(headDim) : 1;
}

/** From one matrix `c_attn`, stored `[in, out]`, whose lanes are `(query | key | value)`. */
export function conv1dParts(context: ModelContext, shape: AttentionShape): Gpt2Differences["queryKeyValue"] {
  return (x, module) => {
    const projection = { name: `${module}.c_attn`, inputs: shape.width, outputs: fusedLanes(shape) };
    return splitParts(context.g, conv1d(context, x, projection), shape);
  };
}
