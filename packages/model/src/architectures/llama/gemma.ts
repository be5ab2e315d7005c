import type { ConfigReader } from "../../checkpoint/index.js";
import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { shiftedRmsNorms } from "../blocks/norms.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2403.08295: Llama with a scaled embedding, GeGLU, and norm weights stored as differences from
 * 1.
 */
export const gemma: Architecture = {
  build(context) {
    const { g, config } = context;
    refuseBidirectional(config);
    const shape = groupedShape(config, { headDim: 256 });
    const { width } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    buildDecoder(context, {
      step,
      shape,
      norm: shiftedRmsNorms(context, width),
      embeddingScale: Math.sqrt(width),
      attention: selfAttention(context, { step, shape, bias, outputBias: bias }),
      feedForward: gatedFeedForwards(context, width, { activation: gemmaActivation(config) }),
      tiedByDefault: true,
    });
  },
  ignoredTensors: rotaryBuffers,
};

/** @throws RR_CONFIG for bidirectional attention, as in embedding models made from these */
export function refuseBidirectional(config: ConfigReader): void {
  if (!config.boolean("use_bidirectional_attention", { default: false })) return;
  throw config.error('"use_bidirectional_attention" is set; expected false, as in a model that generates');
}

/** The first configs say gelu but mean its tanh approximation. */
function gemmaActivation(config: ConfigReader): string {
  const named = config.string("hidden_act", { default: gelu });
  return named === "gelu" ? gelu : named;
}

/** From Gemma 2 on, `hidden_act` has no effect: `hidden_activation` replaced it. */
export function laterGemmaActivation(config: ConfigReader): string {
  return config.string("hidden_activation", { default: gelu });
}

const gelu = "gelu_pytorch_tanh";

/** From Gemma 2 on, norms before and after each sublayer. */
export const gemmaNorms = {
  attention: { before: "input_layernorm", after: "post_attention_layernorm" },
  feedForward: { before: "pre_feedforward_layernorm", after: "post_feedforward_layernorm" },
} as const;

/** A cap on scores or logits: a number, or null for none. */
export function optionalCap(config: ConfigReader, name: string, defaultCap: number): number | undefined {
  return config.isNull(name)
    ? undefined
    : config.number(name, { min: Number.MIN_VALUE, default: defaultCap });
}
