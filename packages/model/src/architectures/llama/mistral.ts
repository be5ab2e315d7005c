import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2310.06825: Llama without biases, with a sliding window over all layers in version 0.1. */
export const mistral: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { keyValueHeads: 8 });
    const step = causalStep(g);
    const window = config.isNull("sliding_window")
      ? undefined
      : config.integer("sliding_window", { default: 4096 });
    buildDecoder(context, {
      step,
      shape,
      attention: selfAttention(context, { step, shape, window: () => window }),
      feedForward: gatedFeedForwards(context, shape.width),
    });
  },
  ignoredTensors: rotaryBuffers,
};
