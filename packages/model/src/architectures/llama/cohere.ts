import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, sharedNorm } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { layerNormPerHead } from "../blocks/query-key-norm.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://docs.cohere.com/docs/command-r */
export const cohere: Architecture = {
  build(context) {
    buildCohere(context, {
      window: () => undefined,
      rotates: () => true,
      defaultTheta: 500_000,
      normsQueries: context.config.boolean("use_qk_norm", { default: false }),
    });
  },
  ignoredTensors: rotaryBuffers,
};

/** What differs between versions of Command R. */
interface CohereDifferences {
  /** How many positions a query of a layer sees, including its own; undefined for all. */
  readonly window: (layer: number) => number | undefined;
  /** Whether a layer has rotary positions. */
  readonly rotates: (layer: number) => boolean;
  /** θ of rotary positions, if the config does not say. */
  readonly defaultTheta: number;
  /** Whether queries and keys are normed per head, as in Command R+. */
  readonly normsQueries: boolean;
}

/**
 * Attention and feed-forward are parallel, after one LayerNorm without bias; neighbouring lanes are rotary pairs;
 * logits are scaled.
 */
export function buildCohere(context: ModelContext, differences: CohereDifferences): void {
  const { window, rotates, defaultTheta, normsQueries } = differences;
  const { g, config, parameters } = context;
  const shape = groupedShape(config);
  const { width, headDim } = shape;
  const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-5 });
  const bias = config.boolean("attention_bias", { default: false });
  const step = causalStep(g);
  const angles = rotaryAngles(context, step.positionIds, headDim, { interleaved: true, defaultTheta });
  const norms = () =>
    layerNormPerHead(context, shape, epsilon, (module, of, heads) =>
      parameters.get(`${module}.${of === "query" ? "q_norm" : "k_norm"}.weight`, [heads, headDim]),
    );
  buildDecoder(context, {
    step,
    shape,
    parallel: true,
    norm: layerNorms(context, { width, epsilon, bias: false }),
    norms: sharedNorm,
    attention: selfAttention(context, {
      step,
      shape,
      bias,
      outputBias: bias,
      window,
      ...(normsQueries ? { adjust: norms() } : {}),
      angles: (layer) => (rotates(layer) ? angles : undefined),
    }),
    feedForward: gatedFeedForwards(context, width),
    logitScale: config.number("logit_scale", { default: 0.0625 }),
    tiedByDefault: true,
  });
}
