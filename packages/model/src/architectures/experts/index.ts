import type { Architecture } from "../architecture.js";
import { gptOss } from "./gpt-oss.js";
import { mixtral } from "./mixtral.js";
import { olmoe } from "./olmoe.js";
import { qwen2Moe } from "./qwen2-moe.js";
import { qwen3Moe } from "./qwen3-moe.js";

/** Decoders with experts, by the `model_type` of config.json. */
export const expertFamilies: readonly [string, Architecture][] = [
  ["gpt_oss", gptOss],
  ["mixtral", mixtral],
  ["olmoe", olmoe],
  ["qwen2_moe", qwen2Moe],
  ["qwen3_moe", qwen3Moe],
];
