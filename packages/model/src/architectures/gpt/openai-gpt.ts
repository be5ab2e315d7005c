import type { Architecture } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { conv1d } from "../blocks/projections.js";
import { buildGpt2, conv1dParts } from "./gpt2.js";

/**
 * GPT-2's predecessor, with norms after each sublayer.
 * https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf
 */
export const openaiGpt: Architecture = {
  build(context) {
    const { config } = context;
    const shape = multiHeadShape(config);
    const activation = config.oneOf("afn", ["gelu", "relu", "silu", "swish"], { default: "gelu" });
    buildGpt2(context, {
      shape,
      project: conv1d,
      queryKeyValue: conv1dParts(context, shape),
      inner: 4 * shape.width,
      // What this family calls gelu is its tanh approximation.
      activation: activation === "gelu" ? "gelu_new" : activation,
      tables: { tokens: "tokens_embed", positions: "positions_embed" },
      normsAfter: true,
    });
  },
  // The causal mask and the range of positions were once kept as buffers.
  ignoredTensors: [/\.attn\.bias$/, /(^|\.)position_ids$/],
};
