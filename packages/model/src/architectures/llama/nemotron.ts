import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { shiftedLayerNorm } from "../blocks/norms.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2402.16819: Llama with LayerNorms whose weights are stored as differences from 1, squared ReLU,
 * and rotary positions on half of the lanes.
 */
export const nemotron: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width, headDim } = shape;
    const epsilon = config.number("norm_eps", { min: 0, default: 1e-5 });
    const attentionBias = config.boolean("attention_bias", { default: false });
    const bias = config.boolean("mlp_bias", { default: false });
    const step = causalStep(g);
    const lanes = partialRotaryLanes(config, headDim, 0.5);
    const angles = rotaryAngles(context, step.positionIds, headDim, { lanes });
    buildDecoder(context, {
      step,
      shape,
      norm: (x, name) => shiftedLayerNorm(context, x, { name, width, epsilon }),
      attention: selfAttention(context, {
        step,
        shape,
        bias: attentionBias,
        outputBias: attentionBias,
        angles: () => angles,
      }),
      feedForward: feedForwards(context, {
        up: "mlp.up_proj",
        down: "mlp.down_proj",
        width,
        inner: config.integer("intermediate_size"),
        bias,
        activation: config.string("hidden_act", { default: "relu2" }),
      }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
