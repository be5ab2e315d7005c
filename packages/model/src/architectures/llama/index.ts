import { withRotaryContext } from "../blocks/rotary-context.js";
import { apertus } from "./apertus.js";
import { arcee } from "./arcee.js";
import { cohere } from "./cohere.js";
import { cohere2 } from "./cohere2.js";
import { ernie45 } from "./ernie4-5.js";
import { exaone4 } from "./exaone4.js";
import { gemma } from "./gemma.js";
import { gemma2, vaultGemma } from "./gemma2.js";
import { gemma3 } from "./gemma3.js";
import { gemma4, gemma4Unified } from "./gemma4.js";
import { glm } from "./glm.js";
import { glm4, glm4v, glmOcr } from "./glm4.js";
import { granite } from "./granite.js";
import { helium } from "./helium.js";
import { hunyuan } from "./hunyuan.js";
import { lfm2 } from "./lfm2.js";
import { llama } from "./llama.js";
import { minicpm3 } from "./minicpm3.js";
import { ministral3 } from "./ministral3.js";
import { ministral, mistral } from "./mistral.js";
import { nanochat } from "./nanochat.js";
import { nemotron } from "./nemotron.js";
import { olmo } from "./olmo.js";
import { olmo2 } from "./olmo2.js";
import { olmo3 } from "./olmo3.js";
import { phi3 } from "./phi3.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";
import { seedOss } from "./seed-oss.js";
import { smollm3 } from "./smollm3.js";
import { stablelm } from "./stablelm.js";
import { starcoder2 } from "./starcoder2.js";
import { youtu } from "./youtu.js";

/** Decoders in Llama's frame (../blocks/decoder.ts), by the `model_type` of config.json. */
export const llamaFamilies = withRotaryContext([
  ["apertus", apertus],
  ["arcee", arcee],
  ["cohere", cohere],
  ["cohere2", cohere2],
  ["ernie4_5", ernie45],
  ["exaone4", exaone4],
  ["gemma", gemma],
  ["gemma2", gemma2],
  ["gemma3_text", gemma3],
  ["gemma4_text", gemma4],
  ["gemma4_unified_text", gemma4Unified],
  ["glm", glm],
  ["glm4", glm4],
  ["glm4v_text", glm4v],
  ["glm_ocr_text", glmOcr],
  ["granite", granite],
  ["helium", helium],
  ["hunyuan_v1_dense", hunyuan],
  ["lfm2", lfm2],
  ["llama", llama],
  ["minicpm3", minicpm3],
  ["ministral", ministral],
  ["ministral3", ministral3],
  ["mistral", mistral],
  ["nanochat", nanochat],
  ["nemotron", nemotron],
  ["olmo", olmo],
  ["olmo2", olmo2],
  ["olmo3", olmo3],
  ["phi3", phi3],
  ["qwen2", qwen2],
  // The text models of Qwen's vision models; for text, their rotary positions are the usual ones.
  ["qwen2_5_vl_text", qwen2],
  ["qwen2_vl_text", qwen2],
  ["qwen3", qwen3],
  ["qwen3_vl_text", qwen3],
  ["seed_oss", seedOss],
  ["smollm3", smollm3],
  ["stablelm", stablelm],
  ["starcoder2", starcoder2],
  ["vaultgemma", vaultGemma],
  ["youtu", youtu],
]);
