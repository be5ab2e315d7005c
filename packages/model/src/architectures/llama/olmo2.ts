import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rmsNorms } from "../blocks/norms.js";
import { normOverHeads } from "../blocks/query-key-norm.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { type SelfAttention, selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2501.00656: norms of each sublayer's output instead of its input, and of queries and keys over
 * all heads.
 */
export const olmo2: Architecture = {
  build: (context) =>
    buildOlmo2(context, { step: causalStep(context.g), shape: groupedShape(context.config) }),
  ignoredTensors: rotaryBuffers,
};

/** OLMo 2 or 3, which differ in their windows and rotary angles. */
export function buildOlmo2(
  context: ModelContext,
  attention: Pick<SelfAttention, "step" | "shape" | "angles" | "window">,
): void {
  const { config } = context;
  const { step, shape } = attention;
  const { width } = shape;
  const bias = config.boolean("attention_bias", { default: false });
  const epsilon = config.number("rms_norm_eps", { min: 0, default: 1e-5 });
  buildDecoder(context, {
    step,
    shape,
    norm: rmsNorms(context, width, epsilon),
    norms: {
      attention: { after: "post_attention_layernorm" },
      feedForward: { after: "post_feedforward_layernorm" },
    },
    attention: selfAttention(context, {
      ...attention,
      bias,
      outputBias: bias,
      adjust: normOverHeads(context, shape, epsilon),
    }),
    feedForward: gatedFeedForwards(context, width),
  });
}
