import type { ConfigReader } from "../../checkpoint/index.js";
import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { alternatingWindows } from "../blocks/layer-windows.js";
import { rmsNorms } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2507.11407: norms of each sublayer's output, of queries and of keys; rotary positions only in
 * sliding-window layers, if there are any.
 */
export const exaone4: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width, headDim } = shape;
    const step = causalStep(g);
    const window = slidingLayers(config);
    const angles = rotaryAngles(context, step.positionIds, headDim);
    const allRotate = config.isNull("sliding_window");
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      norms: {
        attention: { after: "post_attention_layernorm" },
        feedForward: { after: "post_feedforward_layernorm" },
      },
      attention: selfAttention(context, {
        step,
        shape,
        adjust: normPerHead(rmsNorms(context, headDim, 1e-5)),
        angles: (layer) => (allRotate || window(layer) !== undefined ? angles : undefined),
        window,
      }),
      feedForward: gatedFeedForwards(context, width),
    });
  },
  ignoredTensors: rotaryBuffers,
};

function slidingLayers(config: ConfigReader): (layer: number) => number | undefined {
  if (config.isNull("sliding_window")) return () => undefined;
  return alternatingWindows(config, {
    window: config.integer("sliding_window", { default: 4096 }),
    period: () => config.integer("sliding_window_pattern", { default: 4 }),
  });
}
