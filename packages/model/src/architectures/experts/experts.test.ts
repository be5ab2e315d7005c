import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { ConfigReader, type JsonObject, openCheckpoint } from "../../checkpoint/index.js";
import { checkGraph, type Graph, GraphBuilder, type Value } from "../../graph/index.js";
import { encodeOnnx } from "../../onnx/index.js";
import { zooDirectory } from "../../testing/fixtures.js";
import type { ModelContext } from "../architecture.js";
import { lowestNumber } from "../blocks/additive-mask.js";
import { denseWeights } from "../blocks/routing.js";
import { buildGraph } from "../index.js";
import { Parameters } from "../parameters.js";
import { withinBestGroups } from "./deepseek.js";

const deepseekV2Lite = {
  model_type: "deepseek_v2",
  hidden_size: 2048,
  intermediate_size: 10944,
  moe_intermediate_size: 1408,
  num_hidden_layers: 27,
  num_attention_heads: 16,
  num_key_value_heads: 16,
  n_routed_experts: 64,
  n_shared_experts: 2,
  num_experts_per_tok: 6,
  first_k_dense_replace: 1,
  kv_lora_rank: 512,
  q_lora_rank: null,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  v_head_dim: 128,
  vocab_size: 102400,
};

const deepseekV3 = {
  ...deepseekV2Lite,
  model_type: "deepseek_v3",
  hidden_size: 7168,
  intermediate_size: 18432,
  moe_intermediate_size: 2048,
  num_hidden_layers: 61,
  num_attention_heads: 128,
  num_key_value_heads: 128,
  n_routed_experts: 256,
  n_shared_experts: 1,
  num_experts_per_tok: 8,
  first_k_dense_replace: 3,
  q_lora_rank: 1536,
  vocab_size: 129280,
  rope_scaling: {
    type: "yarn",
    factor: 40,
    mscale: 1,
    mscale_all_dim: 1,
    original_max_position_embeddings: 4096,
  },
};

/** 20 heads do not divide a width of 2048. */
const glm47Flash = {
  ...deepseekV2Lite,
  model_type: "glm4_moe_lite",
  intermediate_size: 10240,
  moe_intermediate_size: 1536,
  num_hidden_layers: 47,
  num_attention_heads: 20,
  num_key_value_heads: 20,
  n_shared_experts: 1,
  num_experts_per_tok: 4,
  q_lora_rank: 768,
  qk_nope_head_dim: 192,
  v_head_dim: 256,
  vocab_size: 154880,
};

const mixtral8x7B = {
  model_type: "mixtral",
  hidden_size: 4096,
  intermediate_size: 14336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  num_local_experts: 8,
  vocab_size: 32000,
};

const qwen3A3B = {
  model_type: "qwen3_moe",
  hidden_size: 2048,
  intermediate_size: 6144,
  moe_intermediate_size: 768,
  num_hidden_layers: 48,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  head_dim: 128,
  num_experts: 128,
  num_experts_per_tok: 8,
  vocab_size: 151936,
};

const ernie45A3B = {
  model_type: "ernie4_5_moe",
  hidden_size: 2560,
  intermediate_size: 12288,
  moe_intermediate_size: 1536,
  num_hidden_layers: 28,
  num_attention_heads: 20,
  num_key_value_heads: 4,
  moe_num_experts: 64,
  moe_num_shared_experts: 2,
  moe_k: 6,
  moe_layer_start_index: 1,
  moe_layer_end_index: 27,
  vocab_size: 103424,
};

const glm45Air = {
  model_type: "glm4_moe",
  hidden_size: 4096,
  intermediate_size: 10944,
  moe_intermediate_size: 1408,
  num_hidden_layers: 46,
  num_attention_heads: 96,
  num_key_value_heads: 8,
  head_dim: 128,
  attention_bias: true,
  n_routed_experts: 128,
  n_shared_experts: 1,
  num_experts_per_tok: 8,
  first_k_dense_replace: 1,
  partial_rotary_factor: 0.5,
  vocab_size: 151552,
};

const dotsLlm1 = {
  model_type: "dots1",
  hidden_size: 4096,
  intermediate_size: 10944,
  moe_intermediate_size: 1408,
  num_hidden_layers: 62,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  n_routed_experts: 128,
  n_shared_experts: 2,
  num_experts_per_tok: 6,
  first_k_dense_replace: 1,
  vocab_size: 152064,
};

const granite3BA800M = {
  model_type: "granitemoe",
  hidden_size: 1536,
  intermediate_size: 512,
  num_hidden_layers: 32,
  num_attention_heads: 24,
  num_key_value_heads: 8,
  num_local_experts: 40,
  num_experts_per_tok: 8,
  tie_word_embeddings: true,
  vocab_size: 49155,
};

const gptOss20B = {
  model_type: "gpt_oss",
  hidden_size: 2880,
  intermediate_size: 2880,
  num_hidden_layers: 24,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  head_dim: 64,
  num_local_experts: 32,
  vocab_size: 201088,
};

/** meta-llama/Llama-4-Scout-17B-16E, without its vision model of 1 billion parameters. */
const llama4Scout = {
  model_type: "llama4",
  text_config: {
    model_type: "llama4_text",
    interleave_moe_layer_step: 1,
    num_experts_per_tok: 1,
    num_local_experts: 16,
    max_position_embeddings: 10485760,
  },
};

/** MiniMaxAI/MiniMax-M2 */
const minimaxM2 = {
  model_type: "minimax_m2",
  head_dim: 128,
  hidden_size: 3072,
  intermediate_size: 1536,
  num_hidden_layers: 62,
  num_attention_heads: 48,
  num_key_value_heads: 8,
  num_local_experts: 256,
  num_experts_per_tok: 8,
  rotary_dim: 64,
  vocab_size: 200064,
};

it.each([
  { config: deepseekV2Lite, billions: 15.7 },
  { config: deepseekV3, billions: 671 },
  { config: glm47Flash, billions: 29.9 },
  { config: mixtral8x7B, billions: 46.7 },
  { config: qwen3A3B, billions: 30.5 },
  { config: granite3BA800M, billions: 3.3 },
  { config: ernie45A3B, billions: 21.8 },
  { config: glm45Air, billions: 106.9 },
  // zai-org/GLM-4.5V: the same, without its vision model.
  {
    config: { model_type: "glm4v_moe", text_config: { model_type: "glm4v_moe_text", head_dim: 128 } },
    billions: 106.9,
  },
  { config: dotsLlm1, billions: 142.8 },
  { config: gptOss20B, billions: 20.9 },
  { config: llama4Scout, billions: 107.8 },
  { config: minimaxM2, billions: 228.7 },
])("$config.model_type has $billions billion parameters as published", ({ config, billions }) => {
  const { graph } = buildGraph({ config, tensors: undefined });
  checkGraph(graph);
  const absent = [...graph.weights.values()].filter(({ source }) => source.kind === "absent");
  const parameters = absent.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);
  expect(parameters / 1e9).toBeCloseTo(billions, 0);
});

it("multi-head latent attention caches one row for all heads: the latent and the rotated lanes", () => {
  const { graph } = buildGraph({ config: deepseekV3, tensors: undefined });
  const { states } = graph.caches[0]!;
  expect(states).toHaveLength(61);
  const past = graph.inputs.find(({ name }) => name === states[0]!.past);
  expect(past!.dims).toEqual(["batch", 1, "past", 576]);
});

it.each([
  { config: deepseekV2Lite, mscale: 0.7 },
  { config: deepseekV3, mscale: 1 },
])("yarn scales the scores of $config.model_type by its factor", ({ config, mscale }) => {
  const rope_scaling = { ...deepseekV3.rope_scaling, mscale, mscale_all_dim: mscale };
  const { graph } = buildGraph({ config: { ...config, rope_scaling }, tensors: undefined });
  const { past } = graph.caches[0]!.states[0]!;
  const scores = graph.nodes.find(({ opType, inputs }) => opType === "FusedMatMul" && inputs[1] === past)!;
  const growth = 0.1 * mscale * Math.log(40) + 1;
  expect(scores.attributes.alpha).toEqual({ kind: "float", value: growth ** 2 / Math.sqrt(128 + 64) });
});

it("mlp_bias of DeepSeek-V2 also gives the shared experts biases", () => {
  const { config } = openCheckpoint(zooDirectory("deepseek-v2"));
  const { graph } = buildGraph({ config: { ...config, mlp_bias: true }, tensors: undefined });
  const biases = [...graph.weights.keys()].filter((name) => name.endsWith("_proj.bias"));
  expect(biases.filter((name) => name.includes(".shared_experts.")).length).toBeGreaterThan(0);
});

describe("routing", () => {
  it("gives an expert a weight of 0 in rows that do not go to it", async () => {
    const weights = await computed([2, 5], ({ g }, scores) => {
      const [values, indices] = g.topK(scores, 2);
      return denseWeights(g, { weights: values, indices }, 5);
    });
    await expect(weights([3, 1, 4, 1, 5, 9, 2, 6, 5, 3])).resolves.toEqual([0, 0, 4, 0, 5, 9, 0, 6, 0, 0]);
  });

  it("within the best groups excludes the experts of all other groups", async () => {
    const candidates = await computed([2, 6], (context, scores) =>
      withinBestGroups(context, scores, 6, {
        groups: 3,
        perRow: 1,
        worth: (grouped) => context.g.squeeze(context.g.reduceMax(grouped, [2]), [2]),
        excluded: -9,
      }),
    );
    const scores = [1, 2, 8, 1, 5, 6, 7, 1, 6, 6, 2, 3];
    await expect(candidates(scores)).resolves.toEqual([-9, -9, 8, 1, -9, -9, 7, 1, -9, -9, -9, -9]);
  });

  it("of DeepSeek-V3 gives other groups' experts the lowest score possible, since its bias can make scores negative", () => {
    const { graph } = buildGraph(openCheckpoint(zooDirectory("deepseek-v3")));
    const scores = new Set(
      graph.nodes
        .filter(({ opType }) => opType === "TopK")
        .map(({ inputs }) => graph.nodes.find(({ outputs }) => outputs[0] === inputs[0])!)
        .filter(({ opType }) => opType === "Reshape")
        .map(({ inputs }) => graph.nodes.find(({ outputs }) => outputs[0] === inputs[0])!),
    );
    const excluded = [...scores].filter(({ opType }) => opType === "Where").map(({ inputs }) => inputs[2]!);
    expect(excluded).toHaveLength(1);
    expect(graph.weights.get(excluded[0]!)?.source).toMatchObject({ data: Float32Array.of(lowestNumber) });
  });
});

/** The function from `dims` numbers to the result of the graph that `build` writes. */
async function computed(
  dims: readonly [number, number],
  build: (context: ModelContext, scores: Value) => Value,
): Promise<(numbers: readonly number[]) => Promise<number[]>> {
  const g = new GraphBuilder();
  const config = new ConfigReader({});
  const context = { g, config, parameters: new Parameters(g, config, undefined), isHeadless: false };
  g.output("y", build(context, g.input("x", "float32", ["rows", dims[1]])), "float32", ["rows", "columns"]);
  const session = await ort.InferenceSession.create(encodeOnnx(g.build()));
  return async (numbers) => {
    const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.from(numbers), dims) });
    await session.release();
    return Array.from(y!.data as Float32Array);
  };
}

it.each<[string, string, JsonObject]>([
  ["rows that go to more experts than there are", "mixtral", { num_experts_per_tok: 5 }],
  ["a number of experts that groups do not divide", "deepseek-v3", { n_group: 3 }],
  ["rows that go to more groups than there are", "deepseek-v3", { n_group: 2, topk_group: 3 }],
  ["rows that go to more experts than their best groups have", "deepseek-v3", { num_experts_per_tok: 3 }],
  ["an unknown scoring function", "deepseek-v3", { scoring_func: "softmax" }],
  ["an unknown way to choose experts", "deepseek-v2", { topk_method: "noaux_tc" }],
  ["experts in some layers only", "deepseek-v2", { moe_layer_freq: 2 }],
  ["a missing number of experts per row", "dots1", { num_experts_per_tok: null }],
  ["a layer that is neither dense nor sparse", "glm4-moe-lite", { mlp_layer_types: ["dense", "linear"] }],
  ["a list of dense and sparse layers that is too short", "glm4-moe-lite", { mlp_layer_types: ["dense"] }],
  ["one expert per row for a router that compares two", "phimoe", { num_experts_per_tok: 1 }],
  ["layers with different numbers of experts", "hunyuan-moe", { num_experts: [4, 8] }],
  ["layers with different numbers of experts per row", "hunyuan-moe", { moe_topk: [2, 1] }],
  ["two experts per row, each with a scale of its own", "llama4", { num_experts_per_tok: 2 }],
  ["a layer with a sliding window", "llama4", { layer_types: ["sliding_attention", "full_attention"] }],
  ["chunks of no size", "llama4", { attention_chunk_size: null }],
  ["a list of rotary layers that is too short", "llama4", { no_rope_layers: [1] }],
])("a config is refused with RR_CONFIG: %s", (_, name, changes) => {
  const { config } = openCheckpoint(zooDirectory(name));
  expect(() => buildGraph({ config: { ...config, ...changes }, tensors: undefined })).toThrow(
    expect.objectContaining({ code: "RR_CONFIG" }),
  );
});

describe("a product with stacked experts reads them", () => {
  // Gate and up together are square, 64 by 64, so that their shape does not tell the layout.
  const { config, tensors } = openCheckpoint(zooDirectory("qwen3-vl-moe"));
  const productsOf = (down: readonly number[]) => {
    const stored = [...tensors!].map(
      ([name, tensor]) => [name, name.endsWith("down_proj") ? { ...tensor, dims: down } : tensor] as const,
    );
    const { nodes } = buildGraph({ config, tensors: new Map(stored) }).graph;
    return nodes
      .filter(({ inputs }) => /experts/.test(inputs[1] ?? ""))
      .map(({ opType, attributes }) => [opType, attributes.transB]);
  };

  it("outputs first, as version 5 of transformers stores them", () => {
    expect(productsOf([4, 64, 32])).toEqual(Array(4).fill(["FusedMatMul", { kind: "int", value: 1 }]));
  });

  it("inputs first, as version 4 stores them", () => {
    expect(productsOf([4, 32, 64])).toEqual(Array(4).fill(["MatMul", undefined]));
  });
});

describe("Llama 4", () => {
  const graphOf = (changes: JsonObject) => {
    const { config } = openCheckpoint(zooDirectory("llama4"));
    return buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph;
  };

  it("without lists in its config, attends in chunks in its rotary layers, which are all but every fourth", () => {
    const { caches } = graphOf({ num_hidden_layers: 5, layer_types: null, no_rope_layers: null });
    const layers = caches.map(({ window, states }) => [window, states.map(({ past }) => past)]);
    const keysOf = (...layers: number[]) =>
      layers.flatMap((layer) => [`past.${layer}.key`, `past.${layer}.value`]);
    expect(layers).toEqual([
      [5, keysOf(0, 1, 2, 4)],
      [undefined, keysOf(3)],
    ]);
  });

  it("without a list in its config, has experts in every n-th layer", () => {
    const routed = (changes: JsonObject) =>
      [...graphOf({ moe_layers: null, ...changes }).weights.keys()].filter((name) =>
        name.endsWith("router.weight"),
      );
    expect(routed({ interleave_moe_layer_step: 2 })).toEqual(["model.layers.1.feed_forward.router.weight"]);
    expect(routed({})).toHaveLength(2);
  });

  it("scales queries by position unless the config disables it; a 4, as first published, means true", () => {
    expect(graphOf({ attn_temperature_tuning: 4 })).toEqual(graphOf({ attn_temperature_tuning: true }));
    const without = graphOf({ attn_temperature_tuning: false });
    expect(graphOf({ attn_temperature_tuning: 0 })).toEqual(without);
    expect(without).not.toEqual(graphOf({ attn_temperature_tuning: true }));
  });
});

it("MiniMax-M2 accepts the number of rotary lanes, as published, or their fraction", () => {
  const { config } = openCheckpoint(zooDirectory("minimax-m2"));
  const graphOf = (changes: JsonObject) =>
    buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph;
  const published = graphOf({ rotary_dim: 4, partial_rotary_factor: null });
  expect(published).toEqual(graphOf({ rotary_dim: null, partial_rotary_factor: 0.5 }));
  expect(published).not.toEqual(graphOf({ rotary_dim: null, partial_rotary_factor: null }));
});

describe("Granite 4.0", () => {
  const graphOf = (changes: JsonObject) => {
    const { config } = openCheckpoint(zooDirectory("granite4-micro-like"));
    return buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph;
  };

  it("accepts attention as a layer type, as published, as well as full_attention, as transformers 5 writes it", () => {
    expect(graphOf({ layer_types: ["attention", "attention"] })).toEqual(graphOf({}));
  });

  it("with experts is Granite with experts and a shared feed-forward", () => {
    const experts = { num_local_experts: 4, num_experts_per_tok: 2, intermediate_size: 32 };
    expect(graphOf(experts)).toEqual(graphOf({ ...experts, model_type: "granitemoeshared" }));
  });

  it("has no rotary positions unless the config says rope", () => {
    const turns = (graph: Graph) => graph.nodes.filter(({ opType }) => opType === "RotaryEmbedding").length;
    expect(turns(graphOf({}))).toBe(4);
    expect(turns(graphOf({ position_embedding_type: "nope" }))).toBe(0);
    expect(turns(graphOf({ position_embedding_type: null }))).toBe(0);
  });
});

it("the error for a missing expert names its tensor", () => {
  const { config, tensors } = openCheckpoint(zooDirectory("mixtral"));
  const name = "model.layers.1.block_sparse_moe.experts.3.w2.weight";
  const lacking = new Map([...tensors!].filter(([each]) => each !== name));
  expect(() => buildGraph({ config, tensors: lacking })).toThrow(
    expect.objectContaining({ code: "RR_TENSOR", message: expect.stringContaining(name) }),
  );
});
