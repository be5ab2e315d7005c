import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { stackedExperts } from "../blocks/experts.js";
import { rmsNorms } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { qwenFeedForward } from "./qwen-feed-forward.js";

/** https://arxiv.org/abs/2505.09388: Qwen3 with experts. A sliding window, if any, applies to all layers. */
export const qwen3Moe: Architecture = {
  build: (context) => buildQwen3Moe(context, (width) => qwenFeedForward(context, { width, perRow: 8 })),
  ignoredTensors: rotaryBuffers,
};

/** The text model of Qwen3-VL with experts: Qwen3 with stacked experts. */
export const qwen3VlMoe: Architecture = {
  build(context) {
    buildQwen3Moe(context, (width) =>
      qwenFeedForward(context, { width, perRow: 4, normalize: true, experts: stackedExperts }),
    );
  },
  ignoredTensors: rotaryBuffers,
};

function buildQwen3Moe(context: ModelContext, feedForward: (width: number) => Sublayer): void {
  const { g, config } = context;
  const shape = groupedShape(config, { keyValueHeads: 4 });
  const step = causalStep(g);
  const bias = config.boolean("attention_bias", { default: false });
  const slides = config.boolean("use_sliding_window", { default: false });
  const window = slides ? config.optionalInteger("sliding_window") : undefined;
  buildDecoder(context, {
    step,
    shape,
    attention: selfAttention(context, {
      step,
      shape,
      bias,
      outputBias: bias,
      adjust: normPerHead(rmsNorms(context, shape.headDim)),
      window: () => window,
    }),
    feedForward: feedForward(shape.width),
  });
}
