import { withRotaryContext } from "../blocks/rotary-context.js";
import { afmoe } from "./afmoe.js";
import { deepseekV2 } from "./deepseek-v2.js";
import { deepseekV3 } from "./deepseek-v3.js";
import { dots1 } from "./dots1.js";
import { ernie45Moe } from "./ernie4-5-moe.js";
import { glm4Moe, glm4vMoe } from "./glm4-moe.js";
import { glm4MoeLite } from "./glm4-moe-lite.js";
import { gptOss } from "./gpt-oss.js";
import { graniteMoe, graniteMoeShared } from "./granite-moe.js";
import { hunyuanMoe } from "./hunyuan-moe.js";
import { lfm2Moe } from "./lfm2-moe.js";
import { llama4 } from "./llama4.js";
import { minimaxM2 } from "./minimax-m2.js";
import { mixtral } from "./mixtral.js";
import { olmoe } from "./olmoe.js";
import { phimoe } from "./phimoe.js";
import { qwen2Moe } from "./qwen2-moe.js";
import { qwen3Moe, qwen3VlMoe } from "./qwen3-moe.js";

/** Decoders with experts, by the `model_type` of config.json. */
export const expertFamilies = withRotaryContext([
  ["afmoe", afmoe],
  ["deepseek_v2", deepseekV2],
  ["deepseek_v3", deepseekV3],
  ["dots1", dots1],
  ["ernie4_5_moe", ernie45Moe],
  ["glm4_moe", glm4Moe],
  ["glm4_moe_lite", glm4MoeLite],
  ["glm4v_moe_text", glm4vMoe],
  ["gpt_oss", gptOss],
  ["granitemoe", graniteMoe],
  ["granitemoeshared", graniteMoeShared],
  ["hunyuan_v1_moe", hunyuanMoe],
  ["lfm2_moe", lfm2Moe],
  ["llama4_text", llama4],
  ["minimax_m2", minimaxM2],
  ["mixtral", mixtral],
  ["olmoe", olmoe],
  ["phimoe", phimoe],
  ["qwen2_moe", qwen2Moe],
  ["qwen3_moe", qwen3Moe],
  ["qwen3_vl_moe_text", qwen3VlMoe],
]);
