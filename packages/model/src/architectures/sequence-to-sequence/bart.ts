import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { tabulatedPlaces } from "./positions.js";

/** Post-norm, with learned positions. https://arxiv.org/abs/1910.13461 */
export const bart: Architecture = {
  build: (context) =>
    buildBart(context, { places: tabulatedPlaces(context, 2), norms: "after", embeddingNorm: true }),
  ignoredTensors: bartIgnored,
};
