import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type DecoderNorms } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rmsNorms } from "../blocks/norms.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2406.12793: Llama with rotary positions on half of the lanes, neighbours as pairs, and with
 * gate and up in one matrix.
 */
export const glm: Architecture = {
  build(context) {
    buildGlm(context);
  },
  ignoredTensors: rotaryBuffers,
};

/** What differs between versions of GLM. */
interface GlmDifferences {
  /** Default: one before each sublayer. */
  readonly norms?: DecoderNorms;
  /** Whether queries, keys and values have a bias. Default: as the config says. */
  readonly bias?: boolean;
  /** Used if the config does not say; without `headDim`, heads divide the width. */
  readonly defaults?: {
    readonly headDim?: number;
    readonly keyValueHeads: number;
    readonly epsilon: number;
    /** The fraction of lanes that rotate. */
    readonly fraction: number;
  };
}

/** GLM and its descendants. */
export function buildGlm(
  context: ModelContext,
  { norms, bias, defaults = glmDefaults }: GlmDifferences = {},
): void {
  const { g, config } = context;
  const shape = groupedShape(config, defaults);
  const { width, headDim } = shape;
  const step = causalStep(g);
  const angles = rotaryAngles(context, step.positionIds, headDim, {
    lanes: partialRotaryLanes(config, headDim, defaults.fraction),
    interleaved: true,
  });
  buildDecoder(context, {
    step,
    shape,
    norm: rmsNorms(context, width, defaults.epsilon),
    ...(norms === undefined ? {} : { norms }),
    attention: selfAttention(context, {
      step,
      shape,
      bias: bias ?? config.boolean("attention_bias", { default: true }),
      angles: () => angles,
    }),
    feedForward: gatedFeedForwards(context, width, { fused: true }),
  });
}

const glmDefaults = { headDim: 128, keyValueHeads: 2, epsilon: 1.5625e-7, fraction: 0.5 };
