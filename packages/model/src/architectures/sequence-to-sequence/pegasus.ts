import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { sinusoidalPlaces, tabulatedPlaces } from "./positions.js";

/**
 * Pre-norm BART, without a norm of embeddings. Its sinusoids are a table, which checkpoints may leave out.
 * https://arxiv.org/abs/1912.08777
 */
export const pegasus: Architecture = {
  build(context) {
    const isStored = context.parameters.has("model.encoder.embed_positions.weight");
    buildBart(context, {
      places: isStored ? tabulatedPlaces(context, 0) : sinusoidalPlaces(context),
      norms: "before",
      embeddingNorm: false,
    });
  },
  ignoredTensors: bartIgnored,
};
