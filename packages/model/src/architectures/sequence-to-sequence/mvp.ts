import type { Architecture } from "../architecture.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import { tabulatedPlaces } from "./positions.js";

/** BART, trained on many tasks; without the prompts for single tasks. https://arxiv.org/abs/2206.12131 */
export const mvp: Architecture = {
  build(context) {
    const { config } = context;
    if (config.boolean("use_prompt", { default: false })) {
      throw config.error(
        '"use_prompt" is set, which adds keys and values of a task in every layer; expected false',
      );
    }
    buildBart(context, { places: tabulatedPlaces(context, 2), norms: "after", embeddingNorm: true });
  },
  ignoredTensors: bartIgnored,
};
