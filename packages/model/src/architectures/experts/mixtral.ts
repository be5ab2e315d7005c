import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { rmsNorms } from "../blocks/norms.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts, softmaxRouter } from "../blocks/routing.js";
import { selfAttention } from "../blocks/self-attention.js";
import { mixtralExperts } from "./mixtral-experts.js";

/** https://arxiv.org/abs/2401.04088: Mistral with experts instead of feed-forwards. */
export const mixtral: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { keyValueHeads: 8 });
    const { width } = shape;
    const step = causalStep(g);
    const window = config.optionalInteger("sliding_window");
    const angles = rotaryAngles(context, step.positionIds, shape.headDim, { defaultTheta: 1_000_000 });
    const counts = expertCounts(context, 2);
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      attention: selfAttention(context, { step, shape, angles: () => angles, window: () => window }),
      feedForward: mixtralExperts(context, {
        counts,
        width,
        route: softmaxRouter(context, { counts, width, normalize: true }),
      }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
