import type { Architecture } from "./architecture.js";
import { buildLlama } from "./llama.js";

/** https://arxiv.org/abs/2310.06825: Llama without biases, with a sliding window over all layers in version 0.1. */
export const mistral: Architecture = {
  build(context) {
    const { config } = context;
    const window = config.isNull("sliding_window")
      ? undefined
      : config.integer("sliding_window", { default: 4096 });
    buildLlama(context, {
      queryKeyValueBias: false,
      outputBias: false,
      feedForwardBias: false,
      window: () => window,
    });
  },
  ignoredTensors: [/\.rotary_emb\.inv_freq$/],
};
