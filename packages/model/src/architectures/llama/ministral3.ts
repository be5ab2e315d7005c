import type { ConfigReader } from "../../checkpoint/index.js";
import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rmsNorms } from "../blocks/norms.js";
import { grownQueries, type QueryGrowth } from "../blocks/query-growth.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://mistral.ai/news/mistral-3: Mistral with queries that grow with their position. */
export const ministral3: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { headDim: 128, keyValueHeads: 8 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const window = config.optionalInteger("sliding_window");
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      defaultTheta: 1_000_000,
      defaultScaling,
    });
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      attention: selfAttention(context, {
        step,
        shape,
        adjust: grownQueries(g, step.positionIds, growthOf(config)),
        angles: () => angles,
        window: () => window,
      }),
      feedForward: gatedFeedForwards(context, width),
    });
  },
  ignoredTensors: rotaryBuffers,
};

const defaultScaling = {
  type: "yarn",
  factor: 16,
  originalMaxPositionEmbeddings: 16384,
  betaFast: 32,
  betaSlow: 1,
  truncate: true,
  mscale: 1,
  mscaleAllDim: 1,
} as const;

/** Growth of queries is set together with rotary scaling. */
function growthOf(config: ConfigReader): QueryGrowth {
  const rope = config.optionalObject(["rope_parameters", "rope_scaling"]);
  const context = defaultScaling.originalMaxPositionEmbeddings;
  if (rope === undefined) return { rate: 0.1, context };
  return {
    rate: rope.number("llama_4_scaling_beta"),
    context: rope.integer("original_max_position_embeddings"),
  };
}
