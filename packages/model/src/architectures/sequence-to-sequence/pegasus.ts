import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { tabulatedPlaces } from "./positions.js";

/** BART with norms before each sublayer and none of embeddings; its sinusoids are a table. https://arxiv.org/abs/1912.08777 */
export const pegasus: Architecture = {
  build: (context) =>
    buildBart(context, { places: tabulatedPlaces(context, 0), norms: "before", embeddingNorm: false }),
  ignoredTensors: bartIgnored,
};
