import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, sharedNorm } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://docs.cohere.com/docs/command-r */
export const cohere: Architecture = {
  build(context) {
    const { config } = context;
    if (config.boolean("use_qk_norm", { default: false })) {
      throw config.error('"use_qk_norm" is set, which is not supported for cohere; expected false');
    }
    buildCohere(context, { window: () => undefined, rotates: () => true, defaultTheta: 500_000 });
  },
  ignoredTensors: rotaryBuffers,
};

/** Where versions of Command R differ. */
interface CohereDifferences {
  /** How many positions a layer sees, itself included; undefined for all. */
  readonly window: (layer: number) => number | undefined;
  /** Whether a layer has rotary positions. */
  readonly rotates: (layer: number) => boolean;
  /** Of rotary positions, where the config does not say. */
  readonly defaultTheta: number;
}

/**
 * Attention and feed-forward side by side behind one LayerNorm without bias, rotary positions on neighbours, scaled
 * logits.
 */
export function buildCohere(context: ModelContext, differences: CohereDifferences): void {
  const { window, rotates, defaultTheta } = differences;
  const { g, config } = context;
  const shape = groupedShape(config);
  const { width, headDim } = shape;
  const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-5 });
  const bias = config.boolean("attention_bias", { default: false });
  const step = causalStep(g);
  const angles = rotaryAngles(context, step.positionIds, headDim, { interleaved: true, defaultTheta });
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
      angles: (layer) => (rotates(layer) ? angles : undefined),
    }),
    feedForward: gatedFeedForwards(context, width),
    logitScale: config.number("logit_scale", { default: 0.0625 }),
    tiedByDefault: true,
  });
}
