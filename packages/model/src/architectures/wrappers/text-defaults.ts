import type { JsonObject } from "../../checkpoint/index.js";

const qwen2Vl = {
  vocab_size: 152064,
  hidden_size: 8192,
  intermediate_size: 29568,
  num_hidden_layers: 80,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  max_position_embeddings: 32768,
  max_window_layers: 80,
  rms_norm_eps: 1e-5,
  rope_theta: 1e6,
};

const qwen = {
  vocab_size: 151936,
  hidden_size: 4096,
  intermediate_size: 22016,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  max_position_embeddings: 32768,
};

const gemma4 = {
  vocab_size: 262144,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 30,
  num_attention_heads: 8,
  max_position_embeddings: 131072,
  eos_token_id: 1,
};

/**
 * Defaults that a nested config leaves out, by the text model's `model_type`. Inside another config, transformers only
 * writes settings that differ from its defaults (a config.json of its own has every field). Defaults that the
 * architectures have anyway are not repeated. From transformers' configuration classes, version 5.18.
 */
export const textDefaults: ReadonlyMap<string, JsonObject> = new Map<string, JsonObject>([
  [
    "gemma3_text",
    {
      vocab_size: 262208,
      hidden_size: 2304,
      intermediate_size: 9216,
      num_hidden_layers: 26,
      num_attention_heads: 8,
      max_position_embeddings: 131072,
      eos_token_id: 1,
    },
  ],
  ["gemma4_text", gemma4],
  ["gemma4_unified_text", { ...gemma4, max_position_embeddings: 262144 }],
  [
    "glm4v_text",
    {
      vocab_size: 151552,
      hidden_size: 4096,
      intermediate_size: 13696,
      num_hidden_layers: 40,
      num_attention_heads: 32,
      max_position_embeddings: 32768,
    },
  ],
  [
    "glm4v_moe_text",
    {
      vocab_size: 151424,
      hidden_size: 4096,
      intermediate_size: 10944,
      moe_intermediate_size: 1408,
      num_hidden_layers: 46,
      num_attention_heads: 96,
      n_routed_experts: 128,
      max_position_embeddings: 65536,
    },
  ],
  [
    "glm_ocr_text",
    {
      vocab_size: 59392,
      hidden_size: 1024,
      intermediate_size: 4096,
      num_hidden_layers: 16,
      num_attention_heads: 16,
      max_position_embeddings: 131072,
    },
  ],
  [
    "llama",
    {
      vocab_size: 32000,
      hidden_size: 4096,
      intermediate_size: 11008,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      max_position_embeddings: 2048,
      eos_token_id: 2,
    },
  ],
  [
    "llama4_text",
    {
      vocab_size: 202048,
      hidden_size: 5120,
      intermediate_size: 8192,
      num_hidden_layers: 48,
      num_attention_heads: 40,
      max_position_embeddings: 131072,
      eos_token_id: 2,
    },
  ],
  [
    "ministral3",
    {
      vocab_size: 131072,
      hidden_size: 4096,
      intermediate_size: 14336,
      num_hidden_layers: 34,
      num_attention_heads: 32,
      max_position_embeddings: 262144,
      eos_token_id: 2,
    },
  ],
  [
    "mistral",
    {
      vocab_size: 32000,
      hidden_size: 4096,
      intermediate_size: 14336,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      max_position_embeddings: 131072,
      eos_token_id: 2,
    },
  ],
  ["qwen2", qwen],
  ["qwen3", qwen],
  ["qwen2_vl_text", qwen2Vl],
  ["qwen2_5_vl_text", qwen2Vl],
  ["qwen3_vl_text", { ...qwen, max_position_embeddings: 128000, rope_theta: 5e5 }],
  [
    "qwen3_vl_moe_text",
    {
      vocab_size: 151936,
      hidden_size: 2048,
      intermediate_size: 5632,
      moe_intermediate_size: 1408,
      num_hidden_layers: 24,
      num_attention_heads: 16,
      num_key_value_heads: 16,
      max_position_embeddings: 128000,
      rope_theta: 5e5,
    },
  ],
]);
