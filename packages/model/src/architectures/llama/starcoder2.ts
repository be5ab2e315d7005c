import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2402.19173: Llama with LayerNorm, a feed-forward without a gate, and biases; all layers may
 * have a sliding window.
 */
export const starcoder2: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { keyValueHeads: 2 });
    const { width } = shape;
    const epsilon = config.number("norm_epsilon", { min: 0, default: 1e-5 });
    const bias = config.boolean("use_bias", { default: true });
    const window = config.optionalInteger("sliding_window");
    const step = causalStep(g);
    buildDecoder(context, {
      step,
      shape,
      norm: layerNorms(context, { width, epsilon }),
      attention: selfAttention(context, { step, shape, bias, outputBias: bias, window: () => window }),
      feedForward: feedForwards(context, {
        up: "mlp.c_fc",
        down: "mlp.c_proj",
        width,
        inner: config.integer("intermediate_size"),
        bias,
        activation: config.string("hidden_act", { default: "gelu_pytorch_tanh" }),
      }),
      tiedByDefault: true,
    });
  },
  ignoredTensors: rotaryBuffers,
};
