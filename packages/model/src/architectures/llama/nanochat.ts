import type { Value } from "../../graph/index.js";
import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { plainRmsNorms } from "../blocks/norms.js";
import { normOfTurned, normPerHead } from "../blocks/query-key-norm.js";
import { type RotaryAngles, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { optionalCap } from "./gemma.js";

/**
 * https://github.com/karpathy/nanochat: norms without weights, also of embedded tokens and of rotated queries and keys;
 * squared ReLU; capped logits.
 */
export const nanochat: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width, headDim } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    const angles = rotaryAngles(context, step.positionIds, headDim);
    // The rotation is opposite to Llama's.
    const backwards: RotaryAngles = { ...angles, sin: g.mul(angles.sin, g.numbers([-1])) };
    const norm = plainRmsNorms(context, width);
    buildDecoder(context, {
      step,
      shape,
      norm,
      enter: (tokens: Value) => norm(tokens, "model.norm"),
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        adjust: normOfTurned(g, backwards, normPerHead(plainRmsNorms(context, headDim))),
        angles: () => undefined,
      }),
      feedForward: feedForwards(context, {
        up: "mlp.fc1",
        down: "mlp.fc2",
        width,
        inner: config.integer("intermediate_size"),
        bias: false,
        activation: config.string("hidden_act", { default: "relu2" }),
      }),
      logitCap: optionalCap(config, "final_logit_softcapping", 15),
    });
  },
  ignoredTensors: rotaryBuffers,
};
