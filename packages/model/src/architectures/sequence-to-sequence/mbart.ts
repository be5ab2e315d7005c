import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { tabulatedPlaces } from "./positions.js";

/** Pre-norm BART. https://arxiv.org/abs/2001.08210 */
export const mbart: Architecture = {
  build: (context) =>
    buildBart(context, { places: tabulatedPlaces(context, 2), norms: "before", embeddingNorm: true }),
  ignoredTensors: bartIgnored,
};
