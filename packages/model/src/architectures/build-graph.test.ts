import { describe, expect, it } from "vitest";
import { type Checkpoint, type JsonObject, openCheckpoint, type StoredTensor } from "../checkpoint/index.js";
import { checkGraph, type Graph, withoutUnread } from "../graph/index.js";
import { zooDirectory, zooNames } from "../testing/fixtures.js";
import { buildGraph } from "./index.js";

const llama = openCheckpoint(zooDirectory("llama"));

function withConfig(name: string, changes: JsonObject): Pick<Checkpoint, "config" | "tensors"> {
  const { config } = openCheckpoint(zooDirectory(name));
  return { config: { ...config, ...changes }, tensors: undefined };
}

function withTensors(
  change: (entries: [string, StoredTensor][]) => [string, StoredTensor][],
): Pick<Checkpoint, "config" | "tensors"> {
  return { config: llama.config, tensors: new Map(change([...llama.tensors!])) };
}

it.each(zooNames())("the graph of %s has no unused node or constant", (name) => {
  const { graph } = buildGraph(openCheckpoint(zooDirectory(name)));
  const namesIn = ({ nodes, weights }: Graph) => [
    ...weights.keys(),
    ...nodes.flatMap(({ outputs }) => outputs),
  ];
  expect(namesIn(graph)).toEqual(namesIn(withoutUnread(graph)));
});

describe("a checkpoint's tensors", () => {
  it("are all used if the checkpoint is complete", () => {
    const unused = zooNames().flatMap((name) => buildGraph(openCheckpoint(zooDirectory(name))).unused);
    expect(unused).toEqual([]);
  });

  it("are found without the prefix of their names, as the bare model saves them", () => {
    const bare = withTensors((entries) =>
      entries.map(([name, tensor]) => [name.replace(/^model\./, ""), tensor]),
    );
    const { graph, unused } = buildGraph(bare);
    expect(unused).toEqual([]);
    expect(graph.weights.get("norm.weight")?.source).toMatchObject({ kind: "file" });
  });

  it("are refused with RR_TENSOR, naming the one that is missing", () => {
    const name = "model.layers.1.mlp.up_proj.weight";
    const broken = withTensors((entries) => entries.filter(([each]) => each !== name));
    expect(() => buildGraph(broken)).toThrow(
      expect.objectContaining({ code: "RR_TENSOR", message: expect.stringContaining(name) }),
    );
  });

  it("are refused with RR_TENSOR, naming the one with the wrong shape", () => {
    const name = "model.layers.1.self_attn.k_proj.weight";
    const broken = withTensors((entries) =>
      entries.map(([each, tensor]) => [each, each === name ? { ...tensor, dims: [32, 128] } : tensor]),
    );
    expect(() => buildGraph(broken)).toThrow(
      expect.objectContaining({ code: "RR_TENSOR", message: expect.stringContaining(name) }),
    );
  });

  it("are reported if unused, except for buffers that are computed instead", () => {
    const [, any] = [...llama.tensors!][0]!;
    const { unused } = buildGraph(
      withTensors((entries) => [
        ...entries,
        ["model.layers.0.self_attn.rotary_emb.inv_freq", any],
        ["model.layers.2.mlp.up_proj.weight", any],
      ]),
    );
    expect(unused).toEqual(["model.layers.2.mlp.up_proj.weight"]);
  });

  it("are refused with RR_CONFIG if the config says that they are quantized, with a hint that planning works", () => {
    const config = { ...llama.config, quantization_config: { quant_method: "gptq" } };
    expect(() => buildGraph({ config, tensors: llama.tensors })).toThrow(
      expect.objectContaining({ code: "RR_CONFIG", message: expect.stringContaining("can be planned") }),
    );
  });

  it("are in the graph once if head and embedding are tied, even if both are stored", () => {
    const tied = openCheckpoint(zooDirectory("llama-tied-rope3"));
    const table = tied.tensors!.get("model.embed_tokens.weight")!;
    const tensors = new Map(tied.tensors).set("lm_head.weight", table);
    const { graph, unused } = buildGraph({ config: tied.config, tensors });
    expect(unused).toEqual([]);
    expect(graph.weights.has("lm_head.weight")).toBe(false);
    const readers = graph.nodes.filter(({ inputs }) => inputs.includes("model.embed_tokens.weight"));
    expect(readers.map(({ opType }) => opType)).toEqual(["Gather", "FusedMatMul"]);
  });

  it("are in the graph separately if head and embedding are declared tied but stored with different values", () => {
    const tied = openCheckpoint(zooDirectory("llama-tied-rope3"));
    const table = tied.tensors!.get("model.embed_tokens.weight")!;
    // An offset 4 bytes lower, so that the values differ.
    const others = { ...table, offset: table.offset - 4 };
    const { graph } = buildGraph({
      config: tied.config,
      tensors: new Map(tied.tensors).set("lm_head.weight", others),
    });
    const readers = (name: string) =>
      graph.nodes.filter(({ inputs }) => inputs.includes(name)).map(({ opType }) => opType);
    expect(readers("model.embed_tokens.weight")).toEqual(["Gather"]);
    expect(readers("lm_head.weight")).toEqual(["FusedMatMul"]);
  });

  it.each([
    ["t5", "shared.weight", "encoder.embed_tokens.weight"],
    ["bart", "model.shared.weight", "model.decoder.embed_tokens.weight"],
  ])(
    "in %s include a separate embedding of one side if it is stored with different values",
    (name, shared, own) => {
      const { config, tensors } = openCheckpoint(zooDirectory(name));
      const table = tensors!.get(shared)!;
      const sources = (offset: number) =>
        buildGraph({ config, tensors: new Map(tensors).set(own, { ...table, offset }) });
      expect(sources(table.offset).graph.weights.has(own)).toBe(false);
      expect(sources(table.offset).unused).toEqual([]);
      expect(sources(table.offset - 4).graph.weights.has(own)).toBe(true);
    },
  );
});

describe("a config alone", () => {
  const llama70B = {
    model_type: "llama",
    hidden_size: 8192,
    intermediate_size: 28672,
    num_attention_heads: 64,
    num_key_value_heads: 8,
    num_hidden_layers: 80,
    vocab_size: 128256,
    rope_theta: 500000,
  };
  // With the names of bigscience/bloom.
  const bloom176B = {
    model_type: "bloom",
    n_embed: 14336,
    n_layer: 70,
    num_attention_heads: 112,
    vocab_size: 250880,
  };

  const gptj6B = { model_type: "gptj", n_embd: 4096, n_head: 16, n_layer: 28, vocab_size: 50400 };
  const gptNeox20B = {
    model_type: "gpt_neox",
    hidden_size: 6144,
    intermediate_size: 24576,
    num_attention_heads: 64,
    num_hidden_layers: 44,
    vocab_size: 50432,
  };
  // The only OPT that is wider than its embedding.
  const opt350M = {
    model_type: "opt",
    hidden_size: 1024,
    ffn_dim: 4096,
    num_attention_heads: 16,
    num_hidden_layers: 24,
    vocab_size: 50272,
    max_position_embeddings: 2048,
    word_embed_proj_dim: 512,
    do_layer_norm_before: false,
  };
  // Published with experts in MXFP4; the plan is for the original model.
  const gptOss20B = {
    model_type: "gpt_oss",
    head_dim: 64,
    hidden_size: 2880,
    intermediate_size: 2880,
    num_attention_heads: 64,
    num_experts_per_tok: 4,
    num_hidden_layers: 24,
    num_key_value_heads: 8,
    num_local_experts: 32,
    sliding_window: 128,
    vocab_size: 201088,
    quantization_config: { quant_method: "mxfp4" },
  };

  it.each([
    { config: llama70B, billions: 70.6 },
    { config: bloom176B, billions: 176.2 },
    { config: gptj6B, billions: 6.05 },
    { config: gptNeox20B, billions: 20.55 },
    { config: opt350M, billions: 0.33 },
    { config: gptOss20B, billions: 20.91 },
  ])("is enough to build the graph of $config.model_type with $billions billion parameters", (expected) => {
    const { graph } = buildGraph({ config: expected.config, tensors: undefined });
    checkGraph(graph);
    const absent = [...graph.weights.values()].filter(({ source }) => source.kind === "absent");
    const parameters = absent.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);
    expect(parameters / 1e9).toBeCloseTo(expected.billions, 1);
  });

  it("gives layers with different windows separate caches", () => {
    const { graph } = buildGraph(
      withConfig("qwen2", {
        use_sliding_window: true,
        sliding_window: 8,
        layer_types: ["full_attention", "sliding_attention"],
      }),
    );
    expect(graph.caches.map(({ positions, window }) => ({ positions, window }))).toEqual([
      { positions: "past_positions", window: undefined },
      { positions: "past_positions_window_8", window: 8 },
    ]);
    const dims = graph.inputs.find(({ name }) => name === "past.1.key")?.dims;
    expect(dims).toEqual(["batch", 4, "past_window_8", 8]);
  });
});

describe("a config is refused", () => {
  it("with RR_UNKNOWN_ARCHITECTURE that lists the known ones", () => {
    expect(() => buildGraph(withConfig("llama", { model_type: "perceptron" }))).toThrow(
      expect.objectContaining({
        code: "RR_UNKNOWN_ARCHITECTURE",
        message: expect.stringMatching(
          /^no architecture for model_type .* Export the model to ONNX.* Known are .*llama/,
        ),
      }),
    );
  });

  it("with RR_UNKNOWN_ARCHITECTURE that says what can be planned, if only the text model is known", () => {
    const changes = { model_type: "retina", text_config: { model_type: "gemma3_text" } };
    expect(() => buildGraph(withConfig("gemma3", changes))).toThrow(
      expect.objectContaining({
        code: "RR_UNKNOWN_ARCHITECTURE",
        message: expect.stringMatching(
          /"gemma3_text", is known: its text_config .* can be planned\. Known are /,
        ),
      }),
    );
  });

  it.each<[string, string, JsonObject]>([
    ["a number of heads that key heads do not divide", "llama", { num_key_value_heads: 3 }],
    ["a number of heads that does not divide the width", "gpt2", { n_head: 7 }],
    ["an odd number of rotary lanes", "llama", { head_dim: 15 }],
    ["an unknown activation", "llama", { hidden_act: "softsign" }],
    ["an unknown rotary type", "llama", { rope_parameters: { rope_type: "spiral" } }],
    [
      "scaled rotary positions with too few factors",
      "llama",
      {
        rope_parameters: { rope_type: "longrope", short_factor: [1, 2], long_factor: [3, 4] },
      },
    ],
    ["rotary positions on part of the lanes", "llama", { partial_rotary_factor: 0.5 }],
    ["a count of layers beyond all bounds", "llama", { num_hidden_layers: 1e9 }],
    ["a count of heads beyond all bounds", "bloom", { n_head: 2 ** 31 - 1 }],
    ["shapes that overflow", "llama", { hidden_size: 2 ** 31, intermediate_size: 2 ** 31 }],
    ["cross-attention in a decoder", "gpt2", { add_cross_attention: true }],
    ["more rotary lanes than a head has", "gptj", { rotary_dim: 10 }],
    ["a number of heads that is not a multiple of four blocks", "codegen", { n_embd: 48, n_head: 6 }],
    ["an unknown kind of attention layer", "gpt-neo", { attention_layers: ["global", "sparse"] }],
    ["a list of one attention layer for two layers", "gpt-neo", { attention_layers: ["global"] }],
    ["grouped heads with sequential sublayers", "falcon-40b-like", { parallel_attn: false }],
    ["a number of key heads that does not divide the heads", "falcon-40b-like", { num_kv_heads: 3 }],
    ["attention without ALiBi", "mpt", { attn_config: { alibi: false } }],
    ["bidirectional attention within a prefix", "mpt", { attn_config: { prefix_lm: true } }],
    ["one bucket for all distances", "deberta-v2", { position_buckets: 1 }],
    ["buckets that reach farther than distances do", "deberta-v2", { max_relative_positions: 4 }],
    ["a bucket for every distance", "t5", { relative_attention_max_distance: 4 }],
    ["an unknown type of layer", "qwen2", { layer_types: ["full_attention", "mamba"] }],
    ["a sliding layer without a window", "qwen2", { layer_types: ["full_attention", "sliding_attention"] }],
  ])("with RR_CONFIG: %s", (_, name, changes) => {
    expect(() => buildGraph(withConfig(name, changes))).toThrow(
      expect.objectContaining({ code: "RR_CONFIG" }),
    );
  });
});

describe("the longest sequence", () => {
  it.each([
    ["as many as the config's positions", "gpt2", 128],
    ["fewer if positions start after the padding token's id", "roberta", 131],
    ["not limited if positions are relative", "bloom", undefined],
  ])("is %s", (_, name, expected) => {
    expect(buildGraph(openCheckpoint(zooDirectory(name))).maxContext).toBe(expected);
  });

  const yarn = { type: "yarn", factor: 4, original_max_position_embeddings: 100 };
  it.each([
    ["of YaRN's original context times its factor, if somebody added it to a config", yarn, 400],
    ["of the config's positions if these are more", { ...yarn, factor: 1.2 }, 128],
    [
      "of its positions times the factor with dynamic scaling, which begins there",
      { type: "dynamic", factor: 2 },
      256,
    ],
    ["of the config's positions with linear scaling", { type: "linear", factor: 2 }, 128],
  ])("is that %s", (_, rope_scaling, expected) => {
    const { config } = openCheckpoint(zooDirectory("qwen2"));
    const scaled = { ...config, max_position_embeddings: 128, rope_parameters: null, rope_scaling };
    expect(buildGraph({ config: scaled, tensors: undefined }).maxContext).toBe(expected);
  });

  it("is not limited by the number of positions in T5's older configs", () => {
    expect(buildGraph(withConfig("t5", { n_positions: 512 })).maxContext).toBeUndefined();
  });
});
