import type { Architecture } from "../architecture.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { buildGlm } from "./glm.js";

/** https://arxiv.org/abs/2406.12793: GLM with norms after sublayers too. */
export const glm4: Architecture = {
  build(context) {
    buildGlm(context, {
      attention: { before: "input_layernorm", after: "post_self_attn_layernorm" },
      feedForward: { before: "post_attention_layernorm", after: "post_mlp_layernorm" },
    });
  },
  ignoredTensors: rotaryBuffers,
};
