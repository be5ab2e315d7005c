import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { tabulatedPlaces } from "./positions.js";

/** Pre-norm BART, without a norm of embeddings. https://arxiv.org/abs/2004.13637 */
export const blenderbot: Architecture = {
  build: (context) =>
    buildBart(context, { places: tabulatedPlaces(context, 0), norms: "before", embeddingNorm: false }),
  ignoredTensors: bartIgnored,
};
