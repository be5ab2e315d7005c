import type { Architecture } from "../architecture.js";
import { buildFairseqDecoder } from "./decoder.js";
import { sinusoidalPositions } from "./positions.js";

/** https://arxiv.org/abs/2112.10668: sinusoidal positions, a scaled embedding. */
export const xglm: Architecture = {
  build(context) {
    const { config } = context;
    if (config.boolean("add_cross_attention", { default: false })) {
      throw config.error('"add_cross_attention" is set, which only an encoder–decoder has; expected false');
    }
    const scaled = config.boolean("scale_embedding", { default: true });
    buildFairseqDecoder(context, {
      prefix: "model",
      embeddingScale: scaled ? Math.sqrt(config.integer("d_model")) : 1,
      positions: sinusoidalPositions(context),
      inner: config.integer("ffn_dim"),
      activation: config.string("activation_function", { default: "gelu" }),
      lastNorm: "layer_norm",
      head: "lm_head",
    });
  },
  // Older checkpoints store the sinusoids as a buffer.
  ignoredTensors: [/(^|\.)embed_positions\.weights$/],
};
