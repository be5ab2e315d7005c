import type { Value } from "../../graph/index.js";
import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2402.00838: Llama with norms without weights, and optionally clipped projections. */
export const olmo: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    const bound = config.optionalNumber("clip_qkv", { min: Number.MIN_VALUE });
    const clip = (x: Value): Value =>
      bound === undefined ? x : g.clip(x, g.numbers([-bound]), g.numbers([bound]));
    const ones = g.numbers(new Float32Array(width).fill(1), [width]);
    buildDecoder(context, {
      step,
      shape,
      norm: (x) => g.layerNormalization(x, ones, undefined, 1e-5),
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        adjust: ({ query, key, value }) => ({ query: clip(query), key: clip(key), value: clip(value) }),
      }),
      feedForward: gatedFeedForwards(context, width),
    });
  },
  ignoredTensors: rotaryBuffers,
};
