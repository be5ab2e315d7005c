import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { upperLayerWindows } from "../blocks/layer-windows.js";
import { rmsNorms } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2505.09388: Qwen2 with norms of queries and keys instead of biases. */
export const qwen3: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { headDim: 128 });
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    buildDecoder(context, {
      step,
      shape,
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        adjust: normPerHead(rmsNorms(context, shape.headDim)),
        window: upperLayerWindows(config),
      }),
      feedForward: gatedFeedForwards(context, shape.width),
    });
  },
  ignoredTensors: rotaryBuffers,
};
