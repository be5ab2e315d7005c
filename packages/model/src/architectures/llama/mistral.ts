import type { Architecture, ModelContext } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { layerWindows } from "../blocks/layer-windows.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2310.06825: Llama without biases; version 0.1 has a sliding window in all layers. */
export const mistral: Architecture = {
  build(context) {
    const window = windowOf(context);
    buildMistral(context, () => window);
  },
  ignoredTensors: rotaryBuffers,
};

/** https://mistral.ai/news/ministraux: Mistral with a sliding window in some of the layers. */
export const ministral: Architecture = {
  build(context) {
    const window = windowOf(context);
    buildMistral(context, layerWindows(context.config, { window, slides: () => true }));
  },
  ignoredTensors: rotaryBuffers,
};

function windowOf({ config }: ModelContext): number | undefined {
  return config.isNull("sliding_window") ? undefined : config.integer("sliding_window", { default: 4096 });
}

function buildMistral(context: ModelContext, window: (layer: number) => number | undefined): void {
  const shape = groupedShape(context.config, { keyValueHeads: 8 });
  const step = causalStep(context.g);
  buildDecoder(context, {
    step,
    shape,
    attention: selfAttention(context, { step, shape, window }),
    feedForward: gatedFeedForwards(context, shape.width),
  });
}
