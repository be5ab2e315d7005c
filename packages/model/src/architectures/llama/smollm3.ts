import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { layerWindows } from "../blocks/layer-windows.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://huggingface.co/blog/smollm3: Llama without rotary positions in every fourth layer
 * (https://arxiv.org/abs/2501.18795).
 */
export const smollm3: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { keyValueHeads: 4 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const attentionBias = config.boolean("attention_bias", { default: false });
    const feedForwardBias = config.boolean("mlp_bias", { default: false });
    const interval = config.integer("no_rope_layer_interval", { default: 4 });
    const rotates = config.optionalIntegers("no_rope_layers", { min: 0, max: 1 });
    if (rotates !== undefined && rotates.length < shape.layers) {
      throw config.error(
        `expected "no_rope_layers" to have an entry for each of ${shape.layers} layers, got ${rotates.length}`,
      );
    }
    // Despite its name, `no_rope_layers` has a 1 for layers that do have rotary positions.
    const isRotary = (layer: number): boolean =>
      rotates === undefined ? (layer + 1) % interval !== 0 : rotates[layer] === 1;
    const angles = rotaryAngles(context, step.positionIds, headDim, { defaultTheta: 2_000_000 });
    const slides = config.boolean("use_sliding_window", { default: false });
    buildDecoder(context, {
      step,
      shape,
      attention: selfAttention(context, {
        step,
        shape,
        bias: attentionBias,
        outputBias: attentionBias,
        angles: (layer) => (isRotary(layer) ? angles : undefined),
        window: layerWindows(config, {
          window: slides ? config.optionalInteger("sliding_window") : undefined,
          slides: (layer) => !isRotary(layer),
        }),
      }),
      feedForward: gatedFeedForwards(context, width, { bias: feedForwardBias }),
      tiedByDefault: true,
    });
  },
  ignoredTensors: rotaryBuffers,
};
