import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, layerModule } from "../blocks/decoder.js";
import { feedForward } from "../blocks/feed-forward.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2402.19173: Llama with LayerNorm, a plain feed-forward and biases; one window for all layers. */
export const starcoder2: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width } = shape;
    const epsilon = config.number("norm_epsilon", { min: 0, default: 1e-5 });
    const bias = config.boolean("use_bias", { default: true });
    const inner = config.integer("intermediate_size");
    const activation = config.string("hidden_act", { default: "gelu_pytorch_tanh" });
    const window = config.optionalInteger("sliding_window");
    const step = causalStep(g);
    buildDecoder(context, {
      step,
      shape,
      norm: (x, name) => layerNorm(context, x, { name, width, epsilon }),
      attention: selfAttention(context, { step, shape, bias, outputBias: bias, window: () => window }),
      feedForward: (x, layer) => {
        const module = `${layerModule(layer)}.mlp`;
        const modules = { up: `${module}.c_fc`, down: `${module}.c_proj` };
        return feedForward(context, x, { project: linear, ...modules, width, inner, bias, activation });
      },
      tiedByDefault: true,
    });
  },
  ignoredTensors: rotaryBuffers,
};
