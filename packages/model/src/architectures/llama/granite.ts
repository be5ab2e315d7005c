import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2505.08699: Llama with multipliers on embedding, scores, residuals and logits. */
export const granite: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const step = causalStep(g);
    const attentionBias = config.boolean("attention_bias", { default: false });
    const feedForwardBias = config.boolean("mlp_bias", { default: false });
    const multiplier = (name: string): number => config.number(name, { default: 1 });
    buildDecoder(context, {
      step,
      shape,
      embeddingScale: multiplier("embedding_multiplier"),
      attention: selfAttention(context, {
        step,
        shape,
        bias: attentionBias,
        outputBias: attentionBias,
        scale: multiplier("attention_multiplier"),
      }),
      feedForward: gatedFeedForwards(context, shape.width, { bias: feedForwardBias }),
      residualScale: multiplier("residual_multiplier"),
      logitScale: 1 / config.number("logits_scaling", { min: Number.MIN_VALUE, default: 1 }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
