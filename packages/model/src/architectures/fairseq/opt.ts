import type { Architecture } from "../architecture.js";
import { buildFairseqDecoder } from "./decoder.js";
import { learnedPositions } from "./positions.js";

/** https://arxiv.org/abs/2205.01068; the 350M model is post-norm and has a narrow embedding. */
export const opt: Architecture = {
  build(context) {
    const { config } = context;
    const normsBefore = config.boolean("do_layer_norm_before", { default: true });
    const hasLastNorm = normsBefore && !config.boolean("_remove_final_layer_norm", { default: false });
    buildFairseqDecoder(context, {
      prefix: "model.decoder",
      embeddingWidth: config.optionalInteger("word_embed_proj_dim") ?? config.integer("hidden_size"),
      positions: learnedPositions(context, "model.decoder.embed_positions.weight"),
      inner: config.integer("ffn_dim"),
      activation: config.string("activation_function", { default: "relu" }),
      bias: config.boolean("enable_bias", { default: true }),
      normsAfter: !normsBefore,
      normWeights: config.boolean("layer_norm_elementwise_affine", { default: true }),
      lastNorm: hasLastNorm ? "final_layer_norm" : undefined,
      head: "lm_head",
    });
  },
};
