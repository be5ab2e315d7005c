import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { sinusoidalPlaces } from "./positions.js";

/**
 * BART with sinusoidal positions, without a norm of embeddings; some models have a vocabulary for each side.
 * https://arxiv.org/abs/1804.00344
 */
export const marian: Architecture = {
  build(context) {
    const { config } = context;
    const encoder = config.integer("vocab_size");
    const decoder = config.integer("decoder_vocab_size", { default: encoder });
    const isShared = config.boolean("share_encoder_decoder_embeddings", { default: true });
    buildBart(context, {
      places: sinusoidalPlaces(context),
      norms: "after",
      embeddingNorm: false,
      vocabularies: isShared ? undefined : { encoder, decoder },
      tiesSides: false,
    });
  },
  ignoredTensors: bartIgnored,
};
