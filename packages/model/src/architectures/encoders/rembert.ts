import type { Architecture } from "../architecture.js";
import { consecutivePositions } from "../blocks/encoder-input.js";
import { bertHead, bertIgnored, buildBert } from "./bert.js";

/** BERT with narrow embeddings, and a separate, wide matrix as the head. https://arxiv.org/abs/2010.12821 */
export const rembert: Architecture = {
  build(context) {
    const { g, config } = context;
    buildBert(context, {
      model: "rembert",
      embeddingWidth: config.integer("input_embedding_size", { default: 256 }),
      embeddingProjection: { name: "encoder.embedding_hidden_mapping_in", always: true },
      positions: (input) => consecutivePositions(g, input),
      head: {
        ...bertHead(context),
        dense: "cls.predictions.dense",
        norm: "cls.predictions.LayerNorm",
        bias: "cls.predictions.decoder.bias",
        ownWidth: config.integer("output_embedding_size", { default: 1664 }),
      },
    });
  },
  ignoredTensors: bertIgnored,
};
