import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, sharedNorm } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * Attention and feed-forward are parallel, after one norm; rotary positions on some of the lanes; biases everywhere.
 * https://arxiv.org/abs/2309.05463
 */
export const phi: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width, headDim } = shape;
    const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-5 });
    const step = causalStep(g);
    const lanes = partialRotaryLanes(config, headDim, 0.5);
    const angles = rotaryAngles(context, step.positionIds, headDim, { lanes });
    const normed = config.boolean("qk_layernorm", { default: false });
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
      parallel: true,
      norm: layerNorms(context, { width, epsilon }),
      norms: sharedNorm,
      attention: selfAttention(context, {
        step,
        shape,
        bias: true,
        ...(normed ? { adjust: normHeads } : {}),
        output: "dense",
        outputBias: true,
        angles: () => angles,
      }),
      feedForward: feedForwards(context, {
        up: "mlp.fc1",
        down: "mlp.fc2",
        width,
        inner: config.integer("intermediate_size"),
        activation: config.string("hidden_act", { default: "gelu_new" }),
      }),
      headBias: true,
    });
  },
  ignoredTensors: rotaryBuffers,
};
