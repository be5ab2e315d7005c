import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { clippedHeads } from "../blocks/clipped-heads.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { plainLayerNorms } from "../blocks/norms.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2402.00838: Llama with norms without weights, and optionally clipped projections. */
export const olmo: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    buildDecoder(context, {
      step,
      shape,
      norm: plainLayerNorms(context, width, 1e-5),
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        adjust: clippedHeads(g, config),
      }),
      feedForward: gatedFeedForwards(context, width),
    });
  },
  ignoredTensors: rotaryBuffers,
};
