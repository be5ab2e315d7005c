import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { upperLayerWindows } from "../blocks/layer-windows.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2407.10671: Llama with biases on queries, keys and values; the upper layers may have a window.
 */
export const qwen2: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const step = causalStep(g);
    const window = upperLayerWindows(config);
    buildDecoder(context, {
      step,
      shape,
      attention: selfAttention(context, { step, shape, bias: true, window }),
      feedForward: gatedFeedForwards(context, shape.width),
    });
  },
  ignoredTensors: rotaryBuffers,
};
