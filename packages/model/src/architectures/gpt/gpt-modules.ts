import type { DecoderModules } from "../blocks/decoder.js";

/** Module names of GPT-2 and its relatives. */
export const gptModules: DecoderModules = {
  embedding: "transformer.wte",
  layers: "transformer.h",
  lastNorm: "transformer.ln_f",
  head: "lm_head",
};
