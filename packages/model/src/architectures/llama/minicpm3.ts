import type { Architecture } from "../architecture.js";
import { countsOf } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { latentAttention, latentShape } from "../blocks/latent-attention.js";
import { rmsNorms } from "../blocks/norms.js";
import { rotaryBuffers } from "../blocks/rotary.js";

/**
 * https://arxiv.org/abs/2404.06395: multi-head latent attention, and multipliers on embedding, residuals and logits.
 */
export const minicpm3: Architecture = {
  build(context) {
    const { g, config } = context;
    const { layers, width, heads } = countsOf(config);
    const shape = latentShape(context, Math.floor(width / heads));
    const step = causalStep(g);
    const depth = config.isNull("scale_depth")
      ? Math.sqrt(layers)
      : config.number("scale_depth", { default: 1.4 });
    const baseWidth = config.isNull("dim_model_base")
      ? width
      : config.integer("dim_model_base", { default: 256 });
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      embeddingScale: config.number("scale_emb", { default: 12 }),
      attention: latentAttention(context, { step, shape, interleaved: false }),
      feedForward: gatedFeedForwards(context, width, {
        bias: config.boolean("mlp_bias", { default: false }),
      }),
      residualScale: depth / Math.sqrt(layers),
      logitScale: baseWidth / width,
      tiedByDefault: true,
    });
  },
  ignoredTensors: rotaryBuffers,
};
