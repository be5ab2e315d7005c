import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2302.13971, https://arxiv.org/abs/2407.21783 */
export const llama: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const step = causalStep(g);
    const attentionBias = config.boolean("attention_bias", { default: false });
    const feedForwardBias = config.boolean("mlp_bias", { default: false });
    buildDecoder(context, {
      step,
      shape,
      attention: selfAttention(context, { step, shape, bias: attentionBias, outputBias: attentionBias }),
      feedForward: gatedFeedForwards(context, shape.width, { bias: feedForwardBias }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
