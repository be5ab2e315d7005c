import type { DecoderModules } from "../blocks/decoder.js";

/** What GPT-2 and those named after it call their modules. */
export const gptModules: DecoderModules = {
  embedding: "transformer.wte",
  layers: "transformer.h",
  lastNorm: "transformer.ln_f",
  head: "lm_head",
};
