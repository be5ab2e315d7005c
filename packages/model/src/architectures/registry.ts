import type { Architecture } from "./architecture.js";
import { bloom } from "./bloom.js";
import { encoders } from "./encoders/index.js";
import { gptNeox } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";
import { llama } from "./llama.js";
import { mistral } from "./mistral.js";
import { qwen2 } from "./qwen2.js";

/** By the `model_type` of config.json. */
export const architectures: ReadonlyMap<string, Architecture> = new Map([
  ...encoders,
  ["bloom", bloom],
  ["gpt2", gpt2],
  ["gpt_neox", gptNeox],
  ["llama", llama],
  ["mistral", mistral],
  ["qwen2", qwen2],
]);
