import type { Architecture } from "../architecture.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { buildGlm } from "./glm.js";

/** https://arxiv.org/abs/2406.12793: GLM with norms after sublayers too. */
export const glm4: Architecture = {
  build(context) {
    buildGlm(context, { norms });
  },
  ignoredTensors: rotaryBuffers,
};

/** https://arxiv.org/abs/2507.01006: GLM-4.1V's text model; its attention has biases, whatever the config says. */
export const glm4v: Architecture = {
  build(context) {
    buildGlm(context, { norms, bias: true, defaults: { keyValueHeads: 2, epsilon: 1e-5, fraction: 1 } });
  },
  ignoredTensors: rotaryBuffers,
};

/** https://huggingface.co/zai-org/GLM-OCR: its text model, which has no such biases. */
export const glmOcr: Architecture = {
  build(context) {
    buildGlm(context, { norms, bias: false, defaults: { keyValueHeads: 8, epsilon: 1e-5, fraction: 1 } });
  },
  // A layer after the last one is for multi-token prediction in training.
  ignoredTensors: [...rotaryBuffers, /\blayers\.16\./],
};

const norms = {
  attention: { before: "input_layernorm", after: "post_self_attn_layernorm" },
  feedForward: { before: "post_attention_layernorm", after: "post_mlp_layernorm" },
} as const;
