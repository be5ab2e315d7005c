import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { sinusoidalPlaces } from "./positions.js";

/** BART with sinusoidal positions, without a norm of embeddings. https://arxiv.org/abs/1804.00344 */
export const marian: Architecture = {
  build(context) {
    const { config } = context;
    if (!config.boolean("share_encoder_decoder_embeddings", { default: true })) {
      throw config.error('expected "share_encoder_decoder_embeddings" to be true, one table for both sides');
    }
    buildBart(context, { places: sinusoidalPlaces(context), norms: "after", embeddingNorm: false });
  },
  ignoredTensors: bartIgnored,
};
