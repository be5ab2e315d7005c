import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart, saysScaled } from "./bart-frame.js";
import { sinusoidsAfterPadding } from "./positions.js";

/** Pre-norm BART with sinusoidal positions; padding has none. https://arxiv.org/abs/2010.11125 */
export const m2m100: Architecture = {
  build: (context) =>
    buildBart(context, {
      places: sinusoidsAfterPadding(context),
      norms: "before",
      embeddingNorm: false,
      logitsBias: false,
      isScaled: saysScaled(context, true),
      defaultActivation: "relu",
    }),
  ignoredTensors: bartIgnored,
};
