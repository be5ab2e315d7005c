import type { Architecture } from "../architecture.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { latentAttention, latentShape } from "../blocks/latent-attention.js";
import { rotaryBuffers } from "../blocks/rotary.js";

/** https://arxiv.org/abs/2512.24618: Llama with DeepSeek-V3's multi-head latent attention. */
export const youtu: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = latentShape(context);
    const step = causalStep(g);
    const interleaved = config.boolean("rope_interleave", { default: true });
    buildDecoder(context, {
      step,
      shape,
      attention: latentAttention(context, { step, shape, interleaved }),
      feedForward: gatedFeedForwards(context, shape.width),
      tiedByDefault: true,
    });
  },
  ignoredTensors: rotaryBuffers,
};
