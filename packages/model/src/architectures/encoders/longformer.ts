import type { Architecture } from "../architecture.js";
import { windowMasks } from "../blocks/attention-windows.js";
import { bertAttention, bertIgnored, buildBert } from "./bert.js";
import { positionsBehindPadding, robertaHead, robertaPositions } from "./roberta.js";

/**
 * RoBERTa whose tokens see half a window to either side, as a band in the mask. No token attends globally, which is
 * what a model for masked language modelling does unless it is told otherwise. https://arxiv.org/abs/2004.05150
 */
export const longformer: Architecture = {
  build(context) {
    buildBert(context, {
      model: "longformer",
      head: robertaHead,
      positions: robertaPositions(context),
      attention(input, shape) {
        const maskOf = windowMasks(context, input);
        return (x, prefix, layer) => bertAttention(context, x, prefix, { shape, biases: [maskOf(layer)] });
      },
    });
  },
  maxContext: positionsBehindPadding,
  // Of global attention, too.
  ignoredTensors: [...bertIgnored, /\.attention\.self\.(query|key|value)_global\./],
};
