import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { clippedHeads } from "../blocks/clipped-heads.js";
import { buildDecoder } from "../blocks/decoder.js";
import { expertSublayer, gatedExperts } from "../blocks/experts.js";
import { rmsNorms } from "../blocks/norms.js";
import { normOverHeads } from "../blocks/query-key-norm.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts, softmaxRouter } from "../blocks/routing.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2409.02060: pre-norm, with norms of queries and keys over all heads, and many small experts.
 */
export const olmoe: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    const epsilon = config.number("rms_norm_eps", { min: 0, default: 1e-5 });
    const norm = normOverHeads(context, shape, epsilon);
    const clip = clippedHeads(g, config);
    const counts = expertCounts(context, 8);
    const normalize = config.boolean("norm_topk_prob", { default: false });
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, epsilon),
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        adjust: (heads, module) => clip(norm(heads, module)),
      }),
      feedForward: expertSublayer(context, {
        counts,
        width,
        route: softmaxRouter(context, { counts, width, normalize }),
        run: gatedExperts(context, {
          ...counts,
          width,
          inner: config.integer("intermediate_size"),
          activation: config.string("hidden_act", { default: "silu" }),
        }),
      }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
