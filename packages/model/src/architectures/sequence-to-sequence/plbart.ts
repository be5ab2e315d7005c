import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart, saysScaled } from "./bart-frame.js";
import { tabulatedPlaces } from "./positions.js";

/** BART for programming languages, with scaled embeddings. https://arxiv.org/abs/2103.06333 */
export const plbart: Architecture = {
  build: (context) =>
    buildBart(context, {
      places: tabulatedPlaces(context, 2),
      norms: "after",
      embeddingNorm: true,
      isScaled: saysScaled(context, true),
    }),
  ignoredTensors: bartIgnored,
};
