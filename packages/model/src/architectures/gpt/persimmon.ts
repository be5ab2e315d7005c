import type { Architecture } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { fusedProjection, splitGroups } from "../blocks/query-key-value.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * A fused projection, norms of queries and keys, rotary positions on half of the lanes, squared ReLU.
 * https://www.adept.ai/blog/persimmon-8b
 */
export const persimmon: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width, headDim } = shape;
    const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-5 });
    const step = causalStep(g);
    const lanes = partialRotaryLanes(config, headDim, 0.5);
    const angles = rotaryAngles(context, step.positionIds, headDim, { lanes });
    const normed = config.boolean("qk_layernorm", { default: true });
    const normHeads = normPerHead(layerNorms(context, { width: headDim, epsilon }), {
      query: "q_layernorm",
      key: "k_layernorm",
    });
    buildDecoder(context, {
      step,
      shape,
      modules: {
        embedding: "model.embed_tokens",
        layers: "model.layers",
        lastNorm: "model.final_layernorm",
        head: "lm_head",
      },
      norm: layerNorms(context, { width, epsilon }),
      attention: selfAttention(context, {
        step,
        shape,
        heads: fusedProjection(context, shape, { name: "query_key_value", split: splitGroups }),
        ...(normed ? { adjust: normHeads } : {}),
        output: "dense",
        outputBias: true,
        angles: () => angles,
      }),
      feedForward: feedForwards(context, {
        up: "mlp.dense_h_to_4h",
        down: "mlp.dense_4h_to_h",
        width,
        inner: config.integer("intermediate_size"),
        activation: config.string("hidden_act", { default: "relu2" }),
      }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
