import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { normOverHeads } from "../blocks/query-key-norm.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts } from "../blocks/routing.js";
import { selfAttention } from "../blocks/self-attention.js";
import { balancedRouter } from "./balanced-router.js";
import { mixtralExperts } from "./mixtral-experts.js";

/**
 * https://github.com/MiniMax-AI/MiniMax-M2: Mixtral with load balancing by a bias, norms of queries and keys over all
 * heads at once, and rotary positions on some of the lanes.
 */
export const minimaxM2: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { headDim: 128, keyValueHeads: 8 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const lanes = config.integer("rotary_dim", { max: headDim, default: headDim });
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      lanes: partialRotaryLanes(config, headDim, lanes / headDim),
      defaultTheta: 5_000_000,
    });
    const counts = expertCounts(context, 8);
    buildDecoder(context, {
      step,
      shape,
      attention: selfAttention(context, {
        step,
        shape,
        adjust: normOverHeads(context, shape, config.number("rms_norm_eps", { min: 0, default: 1e-6 })),
        angles: () => angles,
      }),
      feedForward: mixtralExperts(context, {
        counts,
        width,
        route: balancedRouter(context, {
          counts,
          width,
          score: (logits) => g.sigmoid(logits),
          bias: "e_score_correction_bias",
          weigh: (chosen) => g.div(chosen, g.reduceSum(chosen, [1])),
        }),
      }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
