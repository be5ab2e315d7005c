import type { Architecture } from "../architecture.js";
import { windowMasks } from "../blocks/attention-windows.js";
import { bertAttention, bertIgnored, buildBert } from "./bert.js";
import { positionsBehindPadding, robertaHead, robertaPositions } from "./roberta.js";

/**
 * RoBERTa with a sliding window, half of it on either side of a token, as a band in the mask. No token has global
 * attention, the default in masked language modelling. https://arxiv.org/abs/2004.05150
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
  // Including the projections for global attention.
  ignoredTensors: [...bertIgnored, /\.attention\.self\.(query|key|value)_global\./],
};
