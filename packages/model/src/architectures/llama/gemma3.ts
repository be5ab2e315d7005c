import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { alternatingWindows } from "../blocks/layer-windows.js";
import { shiftedRmsNorms } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { gemmaNorms, laterGemmaActivation, refuseBidirectional } from "./gemma.js";

/**
 * https://arxiv.org/abs/2503.19786: Gemma 2 with norms of queries and keys, no cap on scores (transformers has a field
 * for one and ignores it), and separate rotary frequencies for sliding-window layers.
 */
export const gemma3: Architecture = {
  build(context) {
    const { g, config } = context;
    refuseBidirectional(config);
    const shape = groupedShape(config, { headDim: 256, keyValueHeads: 4 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    const window = alternatingWindows(config, {
      window: config.integer("sliding_window", { default: 4096 }),
      period: () => config.integer(["sliding_window_pattern", "_sliding_window_pattern"], { default: 6 }),
    });
    const sliding = rotaryAngles(context, step.positionIds, headDim, {
      layerType: "sliding_attention",
      ownTheta: "rope_local_base_freq",
    });
    const full = rotaryAngles(context, step.positionIds, headDim, { defaultTheta: 1_000_000 });
    buildDecoder(context, {
      step,
      shape,
      norm: shiftedRmsNorms(context, width),
      norms: gemmaNorms,
      embeddingScale: Math.sqrt(width),
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        adjust: normPerHead(shiftedRmsNorms(context, headDim)),
        angles: (layer) => (window(layer) === undefined ? full : sliding),
        window,
        scale: 1 / Math.sqrt(config.number("query_pre_attn_scalar", { min: Number.MIN_VALUE, default: 256 })),
      }),
      feedForward: gatedFeedForwards(context, width, { activation: laterGemmaActivation(config) }),
      logitCap: config.optionalNumber("final_logit_softcapping", { min: Number.MIN_VALUE }),
      tiedByDefault: true,
    });
  },
  ignoredTensors: rotaryBuffers,
};
