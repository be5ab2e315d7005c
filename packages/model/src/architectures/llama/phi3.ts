import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rmsNorms } from "../blocks/norms.js";
import { fusedProjection, splitParts } from "../blocks/query-key-value.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2404.14219: Llama with one matrix for queries, keys and values, and one for gate and up. */
export const phi3: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width, headDim } = shape;
    const step = causalStep(g);
    const lanes = partialRotaryLanes(config, headDim, 1);
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      lanes,
      defaultOriginalContext: 4096,
    });
    const window = config.optionalInteger("sliding_window");
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      attention: selfAttention(context, {
        step,
        shape,
        heads: fusedProjection(context, shape, { name: "qkv_proj", bias: false, split: splitParts }),
        angles: () => angles,
        window: () => window,
      }),
      feedForward: gatedFeedForwards(context, width, { fused: true }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
