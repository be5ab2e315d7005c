import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { type CausalStep, causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2505.08699: Llama with multipliers on embedding, scores, residuals and logits. */
export const granite: Architecture = {
  build(context) {
    const bias = context.config.boolean("mlp_bias", { default: false });
    buildGranite(context, (width) => gatedFeedForwards(context, width, { bias }));
  },
  ignoredTensors: rotaryBuffers,
};

interface GraniteLayers {
  /** Whether there are rotary positions. Default true. */
  readonly rotates?: boolean;
  /** Replaces attention in some layers. Default: no layer. */
  readonly replace?: (attention: Sublayer, step: CausalStep, width: number) => Sublayer;
}

/** Granite with a feed-forward, or with experts. */
export function buildGranite(
  context: ModelContext,
  feedForward: (width: number) => Sublayer,
  { rotates = true, replace = (attention) => attention }: GraniteLayers = {},
): void {
  const { g, config } = context;
  const shape = groupedShape(config);
  const step = causalStep(g);
  const bias = config.boolean("attention_bias", { default: false });
  const multiplier = (name: string): number => config.number(name, { default: 1 });
  const attention = selfAttention(context, {
    step,
    shape,
    bias,
    outputBias: bias,
    scale: multiplier("attention_multiplier"),
    ...(rotates ? {} : { angles: () => undefined }),
  });
  buildDecoder(context, {
    step,
    shape,
    embeddingScale: multiplier("embedding_multiplier"),
    attention: replace(attention, step, shape.width),
    feedForward: feedForward(shape.width),
    residualScale: multiplier("residual_multiplier"),
    logitScale: 1 / config.number("logits_scaling", { min: Number.MIN_VALUE, default: 1 }),
  });
}
