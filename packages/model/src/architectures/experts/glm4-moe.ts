import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { rmsNorms } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { deepseekFeedForward } from "./deepseek.js";
import { groupedRouter } from "./deepseek-v3.js";

/** The layer for multi-token prediction in training, in models with 46 and with 92 layers. */
const layersBehindTheLast = /\blayers\.(46|92)\./;

/**
 * https://arxiv.org/abs/2508.06471: DeepSeek-V3's experts, with grouped-query attention and rotary positions on half of
 * the lanes.
 */
export const glm4Moe: Architecture = {
  build(context) {
    const { config } = context;
    buildGlm4Moe(context, {
      bias: config.boolean("attention_bias", { default: false }),
      normed: config.boolean("use_qk_norm", { default: false }),
    });
  },
  ignoredTensors: [...rotaryBuffers, layersBehindTheLast],
};

/**
 * https://arxiv.org/abs/2507.01006: GLM-4.5V's text model. It does not norm queries and keys, whatever its config says.
 */
export const glm4vMoe: Architecture = {
  build(context) {
    buildGlm4Moe(context, {
      bias: context.config.boolean("attention_bias", { default: true }),
      normed: false,
    });
  },
  ignoredTensors: [...rotaryBuffers, layersBehindTheLast],
};

interface Glm4MoeAttention {
  /** Whether the projections of queries, keys and values have biases. */
  readonly bias: boolean;
  /** Whether queries and keys are normed. */
  readonly normed: boolean;
}

function buildGlm4Moe(context: ModelContext, { bias, normed }: Glm4MoeAttention): void {
  const { g, config } = context;
  const shape = groupedShape(config, { keyValueHeads: 8 });
  const { width, headDim } = shape;
  const step = causalStep(g);
  const lanes = partialRotaryLanes(config, headDim, 0.5);
  const angles = rotaryAngles(context, step.positionIds, headDim, { lanes });
  buildDecoder(context, {
    step,
    shape,
    norm: rmsNorms(context, width, 1e-5),
    attention: selfAttention(context, {
      step,
      shape,
      bias,
      ...(normed && { adjust: normPerHead(rmsNorms(context, headDim, 1e-5)) }),
      angles: () => angles,
    }),
    feedForward: deepseekFeedForward(context, width, {
      route: (counts, width) =>
        groupedRouter(context, counts, width, { groups: 1, groupsPerRow: 1, normalize: true, scaling: 1 }),
      defaults: { perRow: 8, denseLayers: 1, sharedExperts: 1 },
    }),
  });
}
