import { describe, expect, it } from "vitest";
import { type JsonObject, openCheckpoint } from "../../checkpoint/index.js";
import { checkGraph } from "../../graph/index.js";
import { zooDirectory } from "../../testing/fixtures.js";
import { buildGraph } from "../index.js";

/** Configs as published, without settings that do not affect the graph. */
const published: readonly { readonly config: JsonObject; readonly billions: number }[] = [
  {
    // microsoft/Phi-3-mini-128k-instruct: rotary scaling with a list of factors for short and one for long contexts.
    config: {
      model_type: "phi3",
      hidden_size: 3072,
      intermediate_size: 8192,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      num_key_value_heads: 32,
      vocab_size: 32064,
      max_position_embeddings: 131072,
      original_max_position_embeddings: 4096,
      rope_scaling: {
        type: "longrope",
        short_factor: Array<number>(48).fill(1.05),
        long_factor: Array<number>(48).fill(4),
      },
    },
    billions: 3.82,
  },
  {
    // google/gemma-2-9b
    config: {
      model_type: "gemma2",
      hidden_size: 3584,
      intermediate_size: 14336,
      num_hidden_layers: 42,
      num_attention_heads: 16,
      num_key_value_heads: 8,
      head_dim: 256,
      vocab_size: 256000,
      hidden_act: "gelu_pytorch_tanh",
    },
    billions: 9.24,
  },
  {
    // google/gemma-3-1b-pt: one key head, and transformers 4's name for the θ of sliding-window layers.
    config: {
      model_type: "gemma3_text",
      hidden_size: 1152,
      intermediate_size: 6912,
      num_hidden_layers: 26,
      num_attention_heads: 4,
      num_key_value_heads: 1,
      head_dim: 256,
      vocab_size: 262144,
      sliding_window: 512,
      sliding_window_pattern: 6,
      rope_theta: 1_000_000,
      rope_local_base_freq: 10_000,
    },
    billions: 1,
  },
  {
    // google/gemma-4-31B-it, text_config
    config: {
      model_type: "gemma4_text",
      attention_k_eq_v: true,
      global_head_dim: 512,
      head_dim: 256,
      hidden_size: 5376,
      hidden_size_per_layer_input: 0,
      intermediate_size: 21504,
      num_attention_heads: 32,
      num_experts: null,
      num_global_key_value_heads: 4,
      num_hidden_layers: 60,
      num_key_value_heads: 16,
      vocab_size: 262144,
      use_bidirectional_attention: "vision",
    },
    billions: 30.7,
  },
  {
    // allenai/OLMo-2-1124-7B
    config: {
      model_type: "olmo2",
      hidden_size: 4096,
      intermediate_size: 11008,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      vocab_size: 100352,
    },
    billions: 7.3,
  },
  {
    // THUDM/GLM-4-9B-0414
    config: {
      model_type: "glm4",
      hidden_size: 4096,
      intermediate_size: 13696,
      num_hidden_layers: 40,
      num_attention_heads: 32,
      num_key_value_heads: 2,
      head_dim: 128,
      vocab_size: 151552,
      attention_bias: true,
    },
    billions: 9.4,
  },
  {
    // zai-org/GLM-4.1V-9B-Thinking, without its vision model of 0.9 billion parameters
    config: { model_type: "glm4v", text_config: { model_type: "glm4v_text", attention_bias: true } },
    billions: 9.4,
  },
  {
    // mistralai/Ministral-3-3B-Base-2512, text_config
    config: {
      model_type: "ministral3",
      hidden_size: 3072,
      intermediate_size: 9216,
      num_hidden_layers: 26,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      head_dim: 128,
      vocab_size: 131072,
      tie_word_embeddings: true,
    },
    billions: 3.4,
  },
  {
    // LiquidAI/LFM2-1.2B
    config: {
      model_type: "lfm2",
      block_ff_dim: 12288,
      hidden_size: 2048,
      layer_types: Array.from({ length: 16 }, (_, layer) =>
        [2, 5, 8, 10, 12, 14].includes(layer) ? "full_attention" : "conv",
      ),
      num_hidden_layers: 16,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      vocab_size: 65536,
    },
    billions: 1.17,
  },
];

it.each(published)(
  "$config.model_type has $billions billion parameters as published",
  ({ config, billions }) => {
    const { graph } = buildGraph({ config, tensors: undefined });
    checkGraph(graph);
    const absent = [...graph.weights.values()].filter(({ source }) => source.kind === "absent");
    const parameters = absent.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);
    expect(parameters / 1e9).toBeCloseTo(billions, 1);
  },
);

/** The window of every layer's cache in the graph of a zoo checkpoint with `changes` to its config. */
function windowsOf(name: string, changes: JsonObject): (number | undefined)[] {
  const { config } = openCheckpoint(zooDirectory(name));
  const { graph } = buildGraph({ config: { ...config, ...changes }, tensors: undefined });
  const windows: (number | undefined)[] = [];
  for (const { states, window } of graph.caches) {
    for (const { past } of states) windows[Number(past.split(".")[1])] = window;
  }
  return windows;
}

describe("without layer_types", () => {
  const layers = { num_hidden_layers: 6, layer_types: null, sliding_window: 8 };

  it.each<[string, JsonObject, (number | undefined)[]]>([
    ["gemma2", {}, [8, undefined, 8, undefined, 8, undefined]],
    ["gemma3", { _sliding_window_pattern: 3 }, [8, 8, undefined, 8, 8, undefined]],
    ["gemma4-moe", { per_layer_config: null }, [8, 8, 8, 8, 8, undefined]],
    ["afmoe", { global_attn_every_n_layers: 3 }, [8, 8, undefined, 8, 8, undefined]],
    ["exaone4", { sliding_window_pattern: 4 }, [8, 8, 8, undefined, 8, 8]],
    ["olmo3", {}, [8, 8, 8, undefined, 8, 8]],
    ["qwen3", { use_sliding_window: true, max_window_layers: 4 }, [...Array(4).fill(undefined), 8, 8]],
    [
      "smollm3",
      { use_sliding_window: true, no_rope_layers: [1, 0, 1, 1, 1, 0] },
      [undefined, 8, undefined, undefined, undefined, 8],
    ],
    ["phi3", {}, Array(6).fill(8)],
    ["ministral", {}, Array(6).fill(8)],
  ])("%s with %j has the same windows as in transformers", (name, changes, expected) => {
    const windows = windowsOf(name, { ...layers, ...changes });
    expect(Array.from({ length: 6 }, (_, layer) => windows[layer])).toEqual(Array.from(expected));
  });
});

it("bidirectional attention within a multimodal model is refused with RR_CONFIG", () => {
  const { config } = openCheckpoint(zooDirectory("gemma3-vision"));
  const text_config = { ...(config.text_config as JsonObject), use_bidirectional_attention: true };
  expect(() => buildGraph({ config: { ...config, text_config }, tensors: undefined })).toThrow(
    expect.objectContaining({ code: "RR_CONFIG", message: expect.stringContaining("multimodal") }),
  );
});

it("Gemma 3 does not cap scores, whatever its config says", () => {
  const { config } = openCheckpoint(zooDirectory("gemma3"));
  const [stated, silent] = [{ attn_logit_softcapping: 50 }, {}].map(
    (changes) => buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph,
  );
  expect(stated).toEqual(silent);
});

describe("Gemma 4", () => {
  const { config } = openCheckpoint(zooDirectory("gemma4-moe"));
  const graphOf = (changes: JsonObject) =>
    buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph;

  it("takes the head size of full-attention layers from either style of config", () => {
    const global = { per_layer_config: null, global_head_dim: 8, num_global_key_value_heads: 2 };
    expect(graphOf(global)).toEqual(graphOf({}));
    expect(graphOf({ ...global, attention_k_eq_v: false })).toEqual(
      graphOf({ per_layer_config: { 1: { head_dim: 8 } }, attention_k_eq_v: false }),
    );
  });

  it("has full attention in its last layer, whatever layer_types says", () => {
    const layer_types = ["sliding_attention", "sliding_attention"];
    expect(graphOf({ layer_types })).toEqual(graphOf({}));
  });

  it("without experts and per-layer embeddings is the text part of the unified model", () => {
    const plain = { enable_moe_block: false, sliding_window: 8 };
    expect(graphOf({ ...plain, model_type: "gemma4_unified_text" })).toEqual(graphOf(plain));
  });

  it("ignores keys and values in a checkpoint for layers that share those of others", () => {
    const { config, tensors } = openCheckpoint(zooDirectory("gemma4"));
    const keys = (layer: number) => `model.language_model.layers.${layer}.self_attn.k_proj.weight`;
    const kept = new Map([...tensors!, [keys(2), tensors!.get(keys(0))!]]);
    const { graph, unused } = buildGraph({ config, tensors: kept });
    const layersOf = graph.caches.flatMap(({ states }) => states.map(({ past }) => past.split(".")[1]));
    expect(new Set(layersOf)).toEqual(new Set(["0", "1"]));
    expect(unused).toEqual([]);
  });
});

it("GLM-4.1V is GLM-4 with biases and another ε, whatever its config says about biases", () => {
  const { config } = openCheckpoint(zooDirectory("glm4"));
  const graphOf = (changes: JsonObject) =>
    buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph;
  const glm4 = { rms_norm_eps: 1e-5, attention_bias: true };
  const glm4v = { model_type: "glm4v_text", rms_norm_eps: null, attention_bias: false };
  expect(graphOf(glm4v)).toEqual(graphOf(glm4));
  expect(graphOf({ ...glm4v, model_type: "glm_ocr_text" })).toEqual(
    graphOf({ ...glm4, attention_bias: false }),
  );
});

it("LFM2 keeps the last positions for convolution layers, and rows of a cache for attention layers", () => {
  const { config } = openCheckpoint(zooDirectory("lfm2"));
  const { graph } = buildGraph({ config: { ...config, conv_L_cache: 4 }, tensors: undefined });
  expect(graph.recurrent).toEqual([{ past: "past.0.positions", present: "present.0.positions" }]);
  expect(graph.inputs.find(({ name }) => name === "past.0.positions")!.dims).toEqual(["batch", 3, 64]);
  expect(graph.caches.flatMap(({ states }) => states.map(({ past }) => past))).toEqual([
    "past.1.key",
    "past.1.value",
  ]);
});

it("Phi-3's longrope starts at 4096 tokens if its config does not say, whatever the scaling says", () => {
  const { config } = openCheckpoint(zooDirectory("phi3"));
  const factors = { short_factor: [1, 2, 3, 4], long_factor: [5, 6, 7, 8] };
  const graphOf = (changes: JsonObject, within: JsonObject) => {
    const rope_scaling = { type: "longrope", ...factors, ...within };
    const { original_max_position_embeddings: _, ...rest } = config;
    const whole = { ...rest, max_position_embeddings: 8192, rope_scaling, ...changes };
    return buildGraph({ config: whole, tensors: undefined }).graph;
  };
  const stated = graphOf({ original_max_position_embeddings: 4096 }, {});
  expect(graphOf({}, {})).toEqual(stated);
  expect(graphOf({}, { original_max_position_embeddings: 16 })).toEqual(stated);
});

it("OLMo 3's sliding-window layers have unscaled rotary positions in either style of config", () => {
  const { config } = openCheckpoint(zooDirectory("olmo3"));
  const { rope_theta, rope_scaling, ...rest } = config;
  const theta = { rope_theta: rope_theta as number };
  const rope_parameters = {
    full_attention: { ...(rope_scaling as JsonObject), ...theta },
    sliding_attention: { rope_type: "default", ...theta },
  };
  const graphOf = (config: JsonObject) => buildGraph({ config, tensors: undefined }).graph;
  expect(graphOf({ ...rest, rope_parameters })).toEqual(graphOf(config));
  expect(graphOf({ ...config, rope_scaling: null })).not.toEqual(graphOf(config));
});

it.each<[string, string, JsonObject]>([
  ["an odd number of rotary lanes", "glm", { partial_rotary_factor: 0.35 }],
  ["bidirectional attention", "gemma", { use_bidirectional_attention: true }],
  ["bidirectional attention", "gemma2", { use_bidirectional_attention: true }],
  ["bidirectional attention", "gemma4-moe", { use_bidirectional_attention: "all" }],
  [
    "layers of one type with different heads",
    "gemma4-moe",
    { layer_types: ["full_attention", "full_attention"] },
  ],
  ["a layer with a different width", "gemma4-moe", { per_layer_config: { 1: { hidden_size: 8 } } }],
  [
    "a number of key heads that does not divide the heads",
    "gemma4-moe",
    { per_layer_config: { 1: { num_key_value_heads: 3 } } },
  ],
  ["layers that share keys and values that no layer has", "gemma4-moe", { num_kv_shared_layers: 1 }],
  ["attention to later tokens, as embedding models have", "qwen2", { is_causal: false }],
  ["a cap of 0 on scores", "gemma2", { attn_logit_softcapping: 0 }],
  ["a list of rotary layers with an invalid entry", "smollm3", { no_rope_layers: [1, 2] }],
  ["a list of rotary layers that is too short", "smollm3", { no_rope_layers: [1] }],
  ["a convolution over only one position", "lfm2", { conv_L_cache: 1 }],
  ["a layer that is neither attention nor a convolution", "lfm2", { layer_types: ["conv", "mamba"] }],
  [
    "rotary scaling without the growth of queries",
    "ministral3",
    { rope_parameters: { rope_theta: 1_000_000 } },
  ],
  ["an unknown layer type", "exaone4", { layer_types: ["sliding_attention", "chunked_attention"] }],
])("a config is refused with RR_CONFIG: %s", (_, name, changes) => {
  const { config } = openCheckpoint(zooDirectory(name));
  expect(() => buildGraph({ config: { ...config, ...changes }, tensors: undefined })).toThrow(
    expect.objectContaining({ code: "RR_CONFIG" }),
  );
});
