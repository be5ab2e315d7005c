import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type DecoderNorms } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { alternatingWindows } from "../blocks/layer-windows.js";
import { shiftedRmsNorms } from "../blocks/norms.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { gemmaNorms, laterGemmaActivation, optionalCap, refuseBidirectional } from "./gemma.js";

/**
 * https://arxiv.org/abs/2408.00118: Gemma with norms after sublayers too, soft-capped scores and logits, and a sliding
 * window in every other layer.
 */
export const gemma2: Architecture = {
  build: (context) => buildGemma2(context, gemmaNorms),
  ignoredTensors: rotaryBuffers,
};

/** https://arxiv.org/abs/2510.15001: Gemma 2 without the norms after sublayers, trained with differential privacy. */
export const vaultGemma: Architecture = {
  build(context) {
    buildGemma2(context, {
      attention: { before: gemmaNorms.attention.before },
      feedForward: { before: gemmaNorms.feedForward.before },
    });
  },
  ignoredTensors: rotaryBuffers,
};

function buildGemma2(context: ModelContext, norms: DecoderNorms): void {
  const { g, config } = context;
  refuseBidirectional(config);
  const shape = groupedShape(config, { headDim: 256, keyValueHeads: 4 });
  const { width } = shape;
  const step = causalStep(g);
  const bias = config.boolean("attention_bias", { default: false });
  const window = config.integer("sliding_window", { default: 4096 });
  buildDecoder(context, {
    step,
    shape,
    norm: shiftedRmsNorms(context, width),
    norms,
    embeddingScale: Math.sqrt(width),
    attention: selfAttention(context, {
      step,
      shape,
      bias,
      outputBias: bias,
      window: alternatingWindows(config, { window, period: () => 2 }),
      scale: 1 / Math.sqrt(config.number("query_pre_attn_scalar", { min: Number.MIN_VALUE, default: 256 })),
      scoreCap: optionalCap(config, "attn_logit_softcapping", 50),
    }),
    feedForward: gatedFeedForwards(context, width, { activation: laterGemmaActivation(config) }),
    logitCap: optionalCap(config, "final_logit_softcapping", 30),
    tiedByDefault: true,
  });
}
