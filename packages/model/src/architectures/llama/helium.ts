import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rmsNorms } from "../blocks/norms.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://kyutai.org/2025/01/13/helium.html: Llama with neighbouring lanes as rotary pairs. */
export const helium: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { headDim: 128, keyValueHeads: 20 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const feedForwardBias = config.boolean("mlp_bias", { default: false });
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      interleaved: true,
      defaultTheta: 100_000,
    });
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-8),
      attention: selfAttention(context, {
        step,
        shape,
        bias: config.boolean("attention_bias", { default: false }),
        angles: () => angles,
      }),
      feedForward: gatedFeedForwards(context, width, { bias: feedForwardBias }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
