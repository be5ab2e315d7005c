import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { layerWindows } from "../blocks/layer-windows.js";
import { rmsNorms } from "../blocks/norms.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";
import { deepseekFeedForward } from "./deepseek.js";
import { groupedRouter } from "./deepseek-v3.js";

/**
 * https://arxiv.org/abs/2506.05767: DeepSeek-V3's experts with Qwen3's attention; the upper layers may have a window.
 */
export const dots1: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { keyValueHeads: 32 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    const fullLayers = config.integer("max_window_layers", { min: 0, default: 62 });
    buildDecoder(context, {
      step,
      shape,
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        adjust: normPerHead(rmsNorms(context, headDim)),
        window: layerWindows(config, {
          window: config.isNull("sliding_window")
            ? undefined
            : config.integer("sliding_window", { default: 4096 }),
          slides: (layer) => layer >= fullLayers,
        }),
      }),
      feedForward: deepseekFeedForward(context, width, {
        route: (counts, width) =>
          groupedRouter(context, counts, width, { groups: 1, groupsPerRow: 1, normalize: false, scaling: 1 }),
        defaults: { denseLayers: 0, sharedExperts: 0 },
      }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
