import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { rmsNorms } from "../blocks/norms.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://huggingface.co/baidu/ERNIE-4.5-0.3B-PT: Llama with neighbouring lanes as rotary pairs. */
export const ernie45: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { headDim: 128, keyValueHeads: 2 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const bias = config.boolean("use_bias", { default: false });
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      interleaved: true,
      defaultTheta: 500_000,
    });
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      attention: selfAttention(context, { step, shape, bias, outputBias: bias, angles: () => angles }),
      feedForward: gatedFeedForwards(context, width, { bias }),
      tiedByDefault: true,
    });
  },
  ignoredTensors: rotaryBuffers,
};
