import type { Wrapper } from "./wrapper.js";

/** Common text models, which any wrapper may contain. */
const usual = ["llama", "mistral", "qwen2", "qwen3"] as const;

/** Multimodal models around a text model, by the `model_type` of config.json. */
export const wrappers: ReadonlyMap<string, Wrapper> = new Map<string, Wrapper>([
  ["deepseek_vl", { texts: usual, tiedByDefault: true }],
  ["fast_vlm", { texts: ["qwen2"] }],
  ["gemma3", { texts: ["gemma3_text"], tiedByDefault: true }],
  ["gemma4", { texts: ["gemma4_text"], capsLogits: true, tiedByDefault: true }],
  ["gemma4_unified", { texts: ["gemma4_unified_text"], capsLogits: true, tiedByDefault: true }],
  ["glm46v", { texts: ["glm4v_text", "glm4v_moe_text"] }],
  ["glm4v", { texts: ["glm4v_text"] }],
  ["glm4v_moe", { texts: ["glm4v_moe_text"] }],
  ["glm_ocr", { texts: ["glm_ocr_text"] }],
  ["got_ocr2", { texts: ["qwen2"], tiedByDefault: true }],
  ["idefics2", { texts: ["mistral"], module: "text_model" }],
  ["idefics3", { texts: usual, module: "text_model" }],
  ["internvl", { texts: ["qwen2", "llama", "mistral", "qwen3", "qwen3_moe"], tiedByDefault: true }],
  ["lighton_ocr", { texts: ["qwen3"], tiedByDefault: true }],
  ["llama4", { texts: ["llama4_text"] }],
  ["llava", { texts: usual }],
  ["llava_next", { texts: usual }],
  ["llava_next_video", { texts: usual }],
  ["llava_onevision", { texts: ["qwen2"] }],
  ["mistral3", { texts: ["mistral", "ministral3"], tiedByDefault: true }],
  ["ovis2", { texts: ["qwen2"], tiedByDefault: true }],
  ["perception_lm", { texts: ["llama"] }],
  ["qwen2_5_vl", { texts: ["qwen2_5_vl_text"], flat: true }],
  ["qwen2_audio", { texts: ["qwen2"] }],
  ["qwen2_vl", { texts: ["qwen2_vl_text"], flat: true }],
  ["qwen3_5", { texts: ["qwen3_5_text"] }],
  ["qwen3_5_moe", { texts: ["qwen3_5_moe_text"] }],
  ["qwen3_vl", { texts: ["qwen3_vl_text"] }],
  ["qwen3_vl_moe", { texts: ["qwen3_vl_moe_text"] }],
  ["smolvlm", { texts: usual, module: "text_model" }],
  ["video_llava", { texts: usual }],
  ["vipllava", { texts: usual }],
]);
