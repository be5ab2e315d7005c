import type { ConfigReader } from "../../checkpoint/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { gatedFeedForward } from "../blocks/feed-forward.js";
import { rmsNorm } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { shortConvolution } from "../blocks/short-convolution.js";

/**
 * https://arxiv.org/abs/2511.23404: short convolutions in most layers, attention with norms of queries and keys in the
 * others.
 */
export const lfm2: Architecture = {
  build: (context) =>
    buildLfm2(context, (width) => lfm2FeedForwards(context, width, innerWidth(context.config))),
  ignoredTensors: rotaryBuffers,
};

/** LFM2 with a feed-forward, or with experts. */
export function buildLfm2(context: ModelContext, feedForward: (width: number) => Sublayer): void {
  const { g, config } = context;
  const shape = groupedShape(config, { keyValueHeads: 8 });
  const { width, headDim } = shape;
  const epsilon = config.number("norm_eps", { min: 0, default: 1e-5 });
  const step = causalStep(g);
  const angles = rotaryAngles(context, step.positionIds, headDim, { defaultTheta: 1_000_000 });
  const names = { query: "q_layernorm", key: "k_layernorm" };
  const attention = selfAttention(context, {
    step,
    shape,
    output: "out_proj",
    adjust: normPerHead((x, name) => rmsNorm(context, x, { name, width: headDim, epsilon }), names),
    angles: () => angles,
  });
  const convolution = shortConvolution(context, {
    step,
    width,
    taps: config.integer("conv_L_cache", { min: 2, default: 3 }),
    bias: config.boolean("conv_bias", { default: false }),
  });
  const isAttention = attentionLayers(config);
  buildDecoder(context, {
    step,
    shape,
    modules: {
      embedding: "model.embed_tokens",
      layers: "model.layers",
      lastNorm: "model.embedding_norm",
      head: "lm_head",
    },
    norm: (x, name) => rmsNorm(context, x, { name, width, epsilon }),
    norms: { attention: { before: "operator_norm" }, feedForward: { before: "ffn_norm" } },
    attention: (x, layer) => (isAttention(layer.index) ? attention : convolution)(x, layer),
    feedForward: feedForward(width),
    tiedByDefault: config.boolean("tie_embedding", { default: true }),
  });
}

/** LFM2's names for gate, up and down. */
export const lfm2Names = { gate: "w1", up: "w3", down: "w2" } as const;

export function lfm2FeedForwards(context: ModelContext, width: number, inner: number): Sublayer {
  return (x, { module }) =>
    gatedFeedForward(context, x, {
      prefix: `${module}.feed_forward`,
      width,
      inner,
      bias: false,
      activation: "silu",
      names: lfm2Names,
    });
}

/** The layers with attention, listed by type or by index; all layers if the config does not say. */
function attentionLayers(config: ConfigReader): (layer: number) => boolean {
  const types = config.optionalStrings("layer_types");
  const numbers = config.optionalIntegers("full_attn_idxs", { min: 0 });
  return (layer) => {
    if (types === undefined) return numbers?.includes(layer) ?? true;
    const type = types[layer];
    if (type === "full_attention" || type === "conv") return type === "full_attention";
    throw config.error(
      `expected "layer_types" to be full_attention or conv for layer ${layer}, got ${type ?? "none"}`,
    );
  };
}

/** Width of the feed-forward: by default two thirds of the config's, scaled and rounded up to a multiple. */
function innerWidth(config: ConfigReader): number {
  const stated = config.integer(["block_ff_dim", "intermediate_size"]);
  if (!config.boolean("block_auto_adjust_ff_dim", { default: true })) return stated;
  const adjusted = Math.trunc((2 * stated) / 3);
  if (config.isNull("block_ffn_dim_multiplier")) return adjusted;
  const multiplied = Math.trunc(
    adjusted * config.number("block_ffn_dim_multiplier", { min: Number.MIN_VALUE, default: 1 }),
  );
  const part = config.integer("block_multiple_of", { default: 256 });
  return part * Math.ceil(multiplied / part);
}
