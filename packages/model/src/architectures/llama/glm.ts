import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type DecoderNorms } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rmsNorms } from "../blocks/norms.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2406.12793: Llama with rotary positions on neighbouring lanes, half of them, and gate and up in
 * one matrix.
 */
export const glm: Architecture = {
  build(context) {
    buildGlm(context);
  },
  ignoredTensors: rotaryBuffers,
};

/** GLM and GLM-4, which differ in where norms stand. */
export function buildGlm(context: ModelContext, norms?: DecoderNorms): void {
  const { g, config } = context;
  const shape = groupedShape(config, { headDim: 128, keyValueHeads: 2 });
  const { width, headDim } = shape;
  const step = causalStep(g);
  const angles = rotaryAngles(context, step.positionIds, headDim, {
    lanes: partialRotaryLanes(config, headDim, 0.5),
    interleaved: true,
  });
  buildDecoder(context, {
    step,
    shape,
    norm: rmsNorms(context, width, 1.5625e-7),
    ...(norms === undefined ? {} : { norms }),
    attention: selfAttention(context, {
      step,
      shape,
      bias: config.boolean("attention_bias", { default: true }),
      angles: () => angles,
    }),
    feedForward: gatedFeedForwards(context, width, { fused: true }),
  });
}
