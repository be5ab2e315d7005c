import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rmsNorms } from "../blocks/norms.js";
import { normOfTurned, normPerHead } from "../blocks/query-key-norm.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://github.com/Tencent-Hunyuan/Hunyuan-7B: Llama with norms of rotated queries and keys. */
export const hunyuan: Architecture = {
  build: (context) => buildHunyuan(context, (width) => gatedFeedForwards(context, width)),
  ignoredTensors: rotaryBuffers,
};

/** Hunyuan with a feed-forward, or with experts. */
export function buildHunyuan(context: ModelContext, feedForward: (width: number) => Sublayer): void {
  const { g, config } = context;
  const shape = groupedShape(config);
  const { width, headDim } = shape;
  const step = causalStep(g);
  const bias = config.boolean("attention_bias", { default: false });
  const names = { query: "query_layernorm", key: "key_layernorm" };
  const norm = normPerHead(rmsNorms(context, headDim, 1e-5), names);
  buildDecoder(context, {
    step,
    shape,
    norm: rmsNorms(context, width, 1e-5),
    attention: selfAttention(context, {
      step,
      shape,
      bias,
      outputBias: bias,
      adjust: normOfTurned(g, rotaryAngles(context, step.positionIds, headDim), norm),
      angles: () => undefined,
    }),
    feedForward: feedForward(width),
  });
}
