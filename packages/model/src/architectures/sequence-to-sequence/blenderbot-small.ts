import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { tabulatedPlaces } from "./positions.js";

/** BART whose decoder norms token embeddings before it adds positions. https://arxiv.org/abs/2004.13637 */
export const blenderbotSmall: Architecture = {
  build: (context) =>
    buildBart(context, {
      places: tabulatedPlaces(context, 0),
      norms: "after",
      embeddingNorm: true,
      normsWordsOf: "decoder",
    }),
  ignoredTensors: bartIgnored,
};
