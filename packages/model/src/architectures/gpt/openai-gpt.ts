import type { Architecture } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { conv1d } from "../blocks/projections.js";
import { fusedProjection, splitParts } from "../blocks/query-key-value.js";
import { gptModules } from "./gpt-modules.js";
import { buildGpt2 } from "./gpt2.js";

/**
 * GPT-2's predecessor, post-norm.
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
      attention: {
        heads: fusedProjection(context, shape, { name: "c_attn", project: conv1d, split: splitParts }),
      },
      inner: 4 * shape.width,
      // In this family, gelu means the tanh approximation.
      activation: activation === "gelu" ? "gelu_new" : activation,
      decoder: {
        modules: { ...gptModules, embedding: "transformer.tokens_embed", lastNorm: undefined },
        norms: { attention: { ofSum: "ln_1" }, feedForward: { ofSum: "ln_2" } },
      },
      positions: "transformer.positions_embed",
    });
  },
  // Older checkpoints store the causal mask and the range of positions as buffers.
  ignoredTensors: [/\.attn\.bias$/, /(^|\.)position_ids$/],
};
