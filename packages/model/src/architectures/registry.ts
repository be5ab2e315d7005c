import type { Architecture } from "./architecture.js";
import { bloom } from "./bloom.js";
import { codegen } from "./codegen.js";
import { encoders } from "./encoders/index.js";
import { falcon } from "./falcon.js";
import { gptNeox } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";
import { gptj } from "./gptj.js";
import { llama } from "./llama.js";
import { mistral } from "./mistral.js";
import { phi } from "./phi.js";
import { qwen2 } from "./qwen2.js";

/** By the `model_type` of config.json. */
export const architectures: ReadonlyMap<string, Architecture> = new Map([
  ["bloom", bloom],
  ["gpt2", gpt2],
  ["gpt_neox", gptNeox],
  ["codegen", codegen],
  ["falcon", falcon],
  ["gptj", gptj],
  ["phi", phi],
  ["llama", llama],
  ["mistral", mistral],
  ["qwen2", qwen2],
  ...encoders,
]);
