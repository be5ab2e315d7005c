import type { Architecture } from "../architecture.js";
import { attentionMaskOf } from "../blocks/encoder-input.js";
import { bertAttention, buildBert } from "./bert.js";
import { positionsBehindPadding, robertaHead, robertaPositions } from "./roberta.js";

/**
 * RoBERTa whose tokens see half a window to either side, as a band in the mask. No token attends globally, which is
 * what a model for masked language modelling does unless it is told otherwise. https://arxiv.org/abs/2004.05150
 */
export const longformer: Architecture = {
  build(context) {
    const { g, config } = context;
    const windows = config.optionalIntegers("attention_window") ?? [512];
    buildBert(context, {
      model: "longformer",
      head: robertaHead,
      positions: robertaPositions(context),
      attention(input, shape) {
        const masks = new Map<number, ReturnType<typeof attentionMaskOf>>();
        return (x, prefix, layer) => {
          const window = windows.length === 1 ? windows[0] : windows[layer];
          if (window === undefined || window % 2 !== 0) {
            throw config.error(
              `expected "attention_window" to give layer ${layer} an even number, got ${window ?? "none"}`,
            );
          }
          const mask = masks.get(window) ?? attentionMaskOf(g, input, window / 2);
          masks.set(window, mask);
          return bertAttention(context, x, prefix, { shape, biases: [mask] });
        };
      },
    });
  },
  maxContext: positionsBehindPadding,
  ignoredTensors: [
    // Of global attention.
    /\.attention\.self\.(query|key|value)_global\./,
    /(^|\.)pooler\.dense\./,
    /(^|\.)embeddings\.position_ids$/,
  ],
};
