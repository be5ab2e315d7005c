import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { rmsNorms } from "../blocks/norms.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://huggingface.co/arcee-ai/AFM-4.5B: Llama with a feed-forward without a gate, with squared ReLU. */
export const arcee: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      attention: selfAttention(context, { step, shape, bias, outputBias: bias }),
      feedForward: feedForwards(context, {
        up: "mlp.up_proj",
        down: "mlp.down_proj",
        width,
        inner: config.integer("intermediate_size"),
        bias: config.boolean("mlp_bias", { default: false }),
        activation: config.string("hidden_act", { default: "relu2" }),
      }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
