import type { Architecture } from "./architecture.js";
import { layerWindows } from "./blocks/layer-windows.js";
import { buildLlama } from "./llama.js";

/** https://arxiv.org/abs/2407.10671: Llama with biases on queries, keys and values; windows on the upper layers. */
export const qwen2: Architecture = {
  build(context) {
    buildLlama(context, {
      queryKeyValueBias: true,
      outputBias: false,
      feedForwardBias: false,
      window: layerWindows(context.config, { defaultWindow: 4096, defaultFullLayers: 28 }),
    });
  },
  ignoredTensors: [/\.rotary_emb\.inv_freq$/],
};
