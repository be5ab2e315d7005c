import type { Architecture } from "../architecture.js";
import { buildFairseqDecoder } from "./decoder.js";
import { learnedPositions } from "./positions.js";

/** https://arxiv.org/abs/2210.10341: learned positions, a scaled embedding. */
export const biogpt: Architecture = {
  build(context) {
    const { config } = context;
    const scaled = config.boolean("scale_embedding", { default: true });
    buildFairseqDecoder(context, {
      prefix: "biogpt",
      embeddingScale: scaled ? Math.sqrt(config.integer("hidden_size")) : 1,
      positions: learnedPositions(context, "biogpt.embed_positions.weight"),
      inner: config.integer("intermediate_size"),
      activation: config.string("hidden_act", { default: "gelu" }),
      lastNorm: "layer_norm",
      head: "output_projection",
    });
  },
};
