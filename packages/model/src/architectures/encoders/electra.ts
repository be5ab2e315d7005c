import type { Architecture } from "../architecture.js";
import { consecutivePositions } from "../blocks/encoder-input.js";
import { buildBert } from "./bert.js";

/** The generator of https://arxiv.org/abs/2003.10555: BERT with narrower embeddings. */
export const electra: Architecture = {
  build(context) {
    const { g, config } = context;
    buildBert(context, {
      model: "electra",
      embeddingWidth: config.integer("embedding_size", { default: 128 }),
      positions: (input) => consecutivePositions(g, input),
      head: {
        dense: "generator_predictions.dense",
        norm: "generator_predictions.LayerNorm",
        activation: "gelu",
        separate: "generator_lm_head.weight",
        bias: "generator_lm_head.bias",
        biasAlias: "generator_lm_head.bias",
      },
    });
  },
  ignoredTensors: [/(^|\.)embeddings\.position_ids$/],
};
