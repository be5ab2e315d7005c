import { expect, it } from "vitest";
import { type JsonObject, type JsonValue, openCheckpoint } from "../checkpoint/index.js";
import type { Graph } from "../graph/index.js";
import { zooDirectory } from "../testing/fixtures.js";
import { buildGraph } from "./index.js";

/** The graph that a zoo checkpoint's config gives with `changes`, without tensors. */
function graphOf(name: string, changes: JsonObject): Graph {
  const { config } = openCheckpoint(zooDirectory(name));
  return buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph;
}

function graphWithout(name: string, field: string): Graph {
  const { [field]: _, ...config } = openCheckpoint(zooDirectory(name)).config;
  return buildGraph({ config, tensors: undefined }).graph;
}

/** Defaults of transformers 5.18 that differ from those of other families of the same frame. */
it.each<[string, string, JsonValue]>([
  ["big-bird", "hidden_act", "gelu_new"],
  ["cohere", "rope_theta", 500_000],
  [
    "apertus",
    "rope_parameters",
    {
      rope_type: "llama3",
      rope_theta: 12_000_000,
      factor: 8,
      original_max_position_embeddings: 8192,
      low_freq_factor: 1,
      high_freq_factor: 4,
    },
  ],
  ["arcee", "hidden_act", "relu2"],
  ["deberta", "layer_norm_eps", 1e-7],
  ["deberta-v2", "layer_norm_eps", 1e-7],
  ["ernie4.5", "head_dim", 128],
  ["glm", "attention_bias", true],
  [
    "gpt-oss",
    "rope_scaling",
    {
      rope_type: "yarn",
      factor: 32,
      original_max_position_embeddings: 4096,
      beta_fast: 32,
      beta_slow: 1,
      truncate: false,
    },
  ],
  ["flaubert", "pre_norm", false],
  ["fsmt", "activation_function", "relu"],
  ["fsmt", "scale_embedding", true],
  ["fsmt", "tie_word_embeddings", false],
  ["led", "attention_window", 512],
  ["m2m-100", "activation_function", "relu"],
  ["m2m-100", "scale_embedding", true],
  ["gemma3", "num_key_value_heads", 4],
  ["gemma4-moe", "sliding_window", 512],
  ["gemma4-moe", "hidden_size_per_layer_input", 256],
  [
    "gemma4-moe",
    "rope_parameters",
    {
      full_attention: { rope_type: "proportional", rope_theta: 1_000_000, partial_rotary_factor: 0.25 },
      sliding_attention: { rope_type: "default", rope_theta: 10_000 },
    },
  ],
  ["glm4-moe-lite", "rms_norm_eps", 1e-5],
  ["glm4-moe-lite", "mlp_layer_types", ["dense", "sparse"]],
  ["lfm2", "rope_theta", 1_000_000],
  ["lfm2", "conv_L_cache", 3],
  ["llama4", "rope_theta", 500_000],
  ["llama4", "use_qk_norm", true],
  ["llama4", "floor_scale", 8192],
  ["llama4", "attn_scale", 0.1],
  ["llama4", "attention_chunk_size", 8192],
  ["minimax-m2", "rope_theta", 5_000_000],
  ["minicpm3", "scale_depth", 1.4],
  ["minicpm3", "v_head_dim", 8],
  [
    "ministral3",
    "rope_parameters",
    {
      rope_type: "yarn",
      rope_theta: 1_000_000,
      factor: 16,
      original_max_position_embeddings: 16384,
      beta_fast: 32,
      beta_slow: 1,
      mscale: 1,
      mscale_all_dim: 1,
      llama_4_scaling_beta: 0.1,
    },
  ],
  ["mixtral", "rope_parameters", { rope_theta: 1_000_000 }],
  ["smollm3", "num_key_value_heads", 4],
  ["mt5", "feed_forward_proj", "gated-gelu"],
  ["nanochat", "final_logit_softcapping", 15],
  ["nanochat", "hidden_act", "relu2"],
  ["olmo3", "rope_theta", 500_000],
  ["helium", "rope_theta", 100_000],
  ["phimoe", "rope_theta", 1_000_000],
  ["plbart", "scale_embedding", true],
  ["rembert", "input_embedding_size", 256],
  ["rembert", "output_embedding_size", 1664],
  ["seed-oss", "attention_bias", true],
  ["starcoder2", "num_key_value_heads", 2],
  ["umt5", "feed_forward_proj", "gated-gelu"],
  ["xlm", "gelu_activation", true],
  ["xlm-roberta-xl", "layer_norm_eps", 1e-5],
  ["xlm-roberta-xl", "type_vocab_size", 1],
])("%s without %s is the same as with %j", (name, field, stated) => {
  expect(graphWithout(name, field)).toEqual(graphOf(name, { [field]: stated }));
});

it.each([
  ["ernie4.5", "head_dim", 8],
  ["smollm3", "num_key_value_heads", 8],
])(
  "%s with null for %s has one key head per head, and heads that divide the width",
  (name, field, stated) => {
    expect(graphOf(name, { [field]: null })).toEqual(graphOf(name, { [field]: stated }));
  },
);

it.each([
  ["deepseek-v3", "norm_topk_prob"],
  ["falcon-7b-like", "parallel_attn"],
])("%s with null for %s, which is true by default, is the same as with false", (name, field) => {
  expect(graphOf(name, { [field]: null })).toEqual(graphOf(name, { [field]: false }));
});

it("Qwen2-MoE without layer_types has a sliding window in every other layer below max_window_layers", () => {
  const layers = { num_hidden_layers: 5, use_sliding_window: true, sliding_window: 8, max_window_layers: 4 };
  const listed = [0, 1, 2, 3, 4].map((layer) => (layer % 2 === 0 && layer < 4 ? "sliding" : "full"));
  expect(graphOf("qwen2-moe", { ...layers, layer_types: null })).toEqual(
    graphOf("qwen2-moe", { ...layers, layer_types: listed.map((kind) => `${kind}_attention`) }),
  );
});

it("EXAONE 4 ignores a sliding_window_pattern of letters if layer_types lists the layers", () => {
  expect(graphOf("exaone4", { sliding_window_pattern: "LLLG" })).toEqual(graphOf("exaone4", {}));
});

it("gelu in the first Gemma's config means the tanh approximation", () => {
  expect(graphOf("gemma", { hidden_act: "gelu" })).toEqual(graphOf("gemma", {}));
});

it("Qwen3-VL with experts routes a row to four experts if its config does not say", () => {
  const { config } = openCheckpoint(zooDirectory("qwen3-vl-moe"));
  const [stated, silent] = [4, null].map((num_experts_per_tok) => {
    const text_config = { ...(config.text_config as JsonObject), num_experts_per_tok };
    return graphOf("qwen3-vl-moe", { text_config });
  });
  expect(silent).toEqual(stated);
});

it.each(["gemma2", "gemma3"])("hidden_act, a relic of the first Gemma, has no effect in %s", (name) => {
  expect(graphOf(name, { hidden_activation: null, hidden_act: "gelu" })).toEqual(graphOf(name, {}));
});

it("GPT-Neo's layers come from attention_types if attention_layers does not list them", () => {
  const layers = { num_layers: 3, attention_layers: null };
  const repeated = graphOf("gpt-neo", {
    ...layers,
    attention_types: [
      [["local"], 2],
      [["global"], 1],
    ],
  });
  const listed = graphOf("gpt-neo", { ...layers, attention_layers: ["local", "local", "global"] });
  expect(repeated).toEqual(listed);
});

it.each<[JsonValue]>([["local"], [[["local"]]], [[["local", -1]]], [[[["sparse"], 2]]]])(
  "invalid attention_types are refused with RR_CONFIG: %j",
  (attention_types) => {
    expect(() => graphOf("gpt-neo", { attention_layers: null, attention_types })).toThrow(
      expect.objectContaining({ code: "RR_CONFIG" }),
    );
  },
);

it("MiniCPM3 with null for its multipliers scales neither residuals nor logits", () => {
  const stated = { scale_depth: Math.SQRT2, dim_model_base: 64 };
  expect(graphOf("minicpm3", { scale_depth: null, dim_model_base: null })).toEqual(
    graphOf("minicpm3", stated),
  );
});

it("LFM2's attention layers are listed by number if there is no layer_types; without either, all are", () => {
  const layers = { layer_types: null };
  expect(graphOf("lfm2", { ...layers, full_attn_idxs: [1] })).toEqual(graphOf("lfm2", {}));
  expect(graphOf("lfm2", layers)).toEqual(
    graphOf("lfm2", { layer_types: ["full_attention", "full_attention"] }),
  );
});

it("LFM2's feed-forward has the stated width, or two thirds of it, rounded up to a multiple", () => {
  const stated = { block_auto_adjust_ff_dim: false, intermediate_size: 64 };
  expect(graphOf("lfm2", { block_ff_dim: 96, intermediate_size: 7 })).toEqual(graphOf("lfm2", stated));
  expect(graphOf("lfm2", { intermediate_size: 80 })).toEqual(graphOf("lfm2", stated));
  expect(graphOf("lfm2", { block_ffn_dim_multiplier: 0.8 })).toEqual(graphOf("lfm2", stated));
});
