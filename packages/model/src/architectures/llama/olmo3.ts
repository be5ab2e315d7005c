import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { alternatingWindows } from "../blocks/layer-windows.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { buildOlmo2 } from "./olmo2.js";

/** https://arxiv.org/abs/2512.13961: OLMo 2 with sliding-window layers, whose rotary positions are not scaled. */
export const olmo3: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const step = causalStep(g);
    const window = alternatingWindows(config, {
      window: config.integer("sliding_window", { default: 4096 }),
      period: () => 4,
    });
    const defaultTheta = 500_000;
    const full = rotaryAngles(context, step.positionIds, shape.headDim, { defaultTheta });
    const sliding = rotaryAngles(context, step.positionIds, shape.headDim, {
      layerType: "sliding_attention",
      ownTheta: "rope_theta",
      defaultTheta,
    });
    buildOlmo2(context, {
      step,
      shape,
      window,
      angles: (layer) => (window(layer) === undefined ? full : sliding),
    });
  },
  ignoredTensors: rotaryBuffers,
};
