import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { bidirectionalAttention } from "../blocks/bidirectional-attention.js";
import { lastNormed, residualStream, type Stream, tableOf } from "../blocks/decoder.js";
import { consecutivePositions, encoderInput } from "../blocks/encoder-input.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { maskedHead } from "../blocks/masked-head.js";
import { rmsNorms } from "../blocks/norms.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";

/** Llama with bidirectional attention, and a head for masked language modelling: https://arxiv.org/abs/2503.05500. */
export const eurobert: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width, headDim } = shape;
    const input = encoderInput(g);
    const rotation = rotaryAngles(context, consecutivePositions(g, input), headDim);
    const attentionBias = config.boolean("attention_bias", { default: false });
    const bias = config.boolean("mlp_bias", { default: false });
    const stream: Stream = {
      shape,
      norm: rmsNorms(context, width, 1e-5),
      attention: bidirectionalAttention(context, {
        input,
        shape,
        bias: attentionBias,
        outputBias: attentionBias,
        angles: () => rotation,
      }),
      feedForward: gatedFeedForwards(context, width, { bias }),
    };
    const x = residualStream(context, input.inputIds, stream);
    maskedHead(context, lastNormed(context, x, stream), {
      table: tableOf(context, stream),
      width,
      separate: "lm_head.weight",
      tiedByDefault: false,
      ...(bias && { bias: "lm_head.bias" }),
    });
  },
  ignoredTensors: rotaryBuffers,
};
