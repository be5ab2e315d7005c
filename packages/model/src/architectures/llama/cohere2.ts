import type { Architecture } from "../architecture.js";
import { alternatingWindows } from "../blocks/layer-windows.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { buildCohere } from "./cohere.js";

/** https://arxiv.org/abs/2504.00698: sliding-window layers with rotary positions, full-attention layers without any. */
export const cohere2: Architecture = {
  build(context) {
    const { config } = context;
    const window = alternatingWindows(config, {
      window: config.integer("sliding_window", { default: 4096 }),
      period: () => config.integer("sliding_window_pattern", { default: 4 }),
    });
    buildCohere(context, {
      window,
      rotates: (layer) => window(layer) !== undefined,
      defaultTheta: 10_000,
      normsQueries: false,
    });
  },
  ignoredTensors: rotaryBuffers,
};
