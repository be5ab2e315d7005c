import type { Architecture } from "../architecture.js";
import { bloom } from "./bloom.js";
import { codegen } from "./codegen.js";
import { falcon } from "./falcon.js";
import { gptBigcode } from "./gpt-bigcode.js";
import { gptNeo } from "./gpt-neo.js";
import { gptNeox } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";
import { gptj } from "./gptj.js";
import { mpt } from "./mpt.js";
import { openaiGpt } from "./openai-gpt.js";
import { persimmon } from "./persimmon.js";
import { phi } from "./phi.js";

/** Decoders with LayerNorm and a feed-forward without a gate, as in GPT, by `model_type`. */
export const gpts: ReadonlyMap<string, Architecture> = new Map([
  ["bloom", bloom],
  ["codegen", codegen],
  ["falcon", falcon],
  ["gpt_bigcode", gptBigcode],
  ["gpt_neo", gptNeo],
  ["gpt_neox", gptNeox],
  ["gpt2", gpt2],
  ["gptj", gptj],
  ["mpt", mpt],
  ["openai-gpt", openaiGpt],
  ["persimmon", persimmon],
  ["phi", phi],
]);
