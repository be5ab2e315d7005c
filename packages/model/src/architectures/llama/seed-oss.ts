import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://github.com/ByteDance-Seed/seed-oss: Llama with biases on queries, keys and values, and a separate switch for
 * the output projection's.
 */
export const seedOss: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { headDim: 128, keyValueHeads: 8 });
    const step = causalStep(g);
    const feedForwardBias = config.boolean("mlp_bias", { default: false });
    buildDecoder(context, {
      step,
      shape,
      attention: selfAttention(context, {
        step,
        shape,
        bias: config.boolean("attention_bias", { default: true }),
        outputBias: config.boolean("attention_out_bias", { default: false }),
      }),
      feedForward: gatedFeedForwards(context, shape.width, { bias: feedForwardBias }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
