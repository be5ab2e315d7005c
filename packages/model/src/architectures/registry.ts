import type { Architecture } from "./architecture.js";
import { bloom } from "./bloom.js";
import { codegen } from "./codegen.js";
import { encoders } from "./encoders/index.js";
import { falcon } from "./falcon.js";
import { gptNeox } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";
import { gptj } from "./gptj.js";
import { llamaFamilies } from "./llama/index.js";
import { phi } from "./phi.js";

/** By the `model_type` of config.json. */
export const architectures: ReadonlyMap<string, Architecture> = new Map([
  ["bloom", bloom],
  ["gpt2", gpt2],
  ["gpt_neox", gptNeox],
  ["codegen", codegen],
  ["falcon", falcon],
  ["gptj", gptj],
  ["phi", phi],
  ...encoders,
  ...llamaFamilies,
]);
