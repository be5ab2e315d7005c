import { describe, expect, it } from "vitest";
import { type Checkpoint, type JsonObject, openCheckpoint } from "../../checkpoint/index.js";
import { type Graph, renameValues } from "../../graph/index.js";
import { readGolden, zooDirectory } from "../../testing/fixtures.js";
import { integers, UnsplitModel } from "../../testing/unsplit-model.js";
import { buildGraph } from "../index.js";

function withConfig(name: string, changes: JsonObject): Pick<Checkpoint, "config" | "tensors"> {
  const { config, tensors } = openCheckpoint(zooDirectory(name));
  return { config: { ...config, ...changes }, tensors };
}

describe("a checkpoint of an encoder", () => {
  it("without a head, under the bare model's names, has the hidden state as its only output", () => {
    const { config, tensors } = openCheckpoint(zooDirectory("bert"));
    const bare = [...tensors!].filter(([name]) => name.startsWith("bert."));
    const renamed = new Map(bare.map(([name, tensor]) => [name.replace("bert.", ""), tensor]));
    const { graph, unused } = buildGraph({ config, tensors: renamed });
    expect(graph.outputs.map(({ name }) => name)).toEqual(["last_hidden_state"]);
    expect(unused).toEqual([]);
  });

  it("whose head is the embedding alone has logits, although none of its tensors is the head's", () => {
    const { config, tensors } = withConfig("eurobert", { tie_word_embeddings: true });
    const tied = new Map(tensors);
    tied.delete("lm_head.weight");
    const { graph } = buildGraph({ config, tensors: tied });
    expect(graph.outputs.map(({ name }) => name)).toEqual(["logits", "last_hidden_state"]);
  });

  it("with part of a head is refused with RR_TENSOR, naming what is missing", () => {
    const { config, tensors } = openCheckpoint(zooDirectory("bert"));
    const broken = new Map(tensors);
    broken.delete("cls.predictions.bias");
    expect(() => buildGraph({ config, tensors: broken })).toThrow(
      expect.objectContaining({
        code: "RR_TENSOR",
        message: expect.stringContaining("cls.predictions.bias"),
      }),
    );
  });

  it("may contain the bias of the logits under a second name; if its values differ, they are used", () => {
    const { config, tensors } = openCheckpoint(zooDirectory("bert"));
    const bias = tensors!.get("cls.predictions.bias")!;
    const withSecond = (offset: number) =>
      buildGraph({
        config,
        tensors: new Map(tensors).set("cls.predictions.decoder.bias", { ...bias, offset }),
      }).graph.weights;
    expect(withSecond(bias.offset).has("cls.predictions.decoder.bias")).toBe(false);
    // An offset 4 bytes lower, so that the values differ.
    expect(withSecond(bias.offset - 4).has("cls.predictions.decoder.bias")).toBe(true);
  });

  it("may call the weights and biases of norms gamma and beta, as TensorFlow does", () => {
    const { config, tensors } = openCheckpoint(zooDirectory("bert"));
    const old = [...tensors!].map(([name, tensor]): [string, typeof tensor] => [
      name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
      tensor,
    ]);
    expect(buildGraph({ config, tensors: new Map(old) }).unused).toEqual([]);
  });
});

// Parameter counts of transformers' own models, without poolers.
describe("the published config of", () => {
  const base = { hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12, num_hidden_layers: 12 };
  it.each<[string, JsonObject, number]>([
    [
      "bert-base-uncased",
      { ...base, model_type: "bert", vocab_size: 30522, max_position_embeddings: 512 },
      109_514_298,
    ],
    [
      "roberta-base",
      {
        ...base,
        model_type: "roberta",
        vocab_size: 50265,
        max_position_embeddings: 514,
        type_vocab_size: 1,
      },
      124_697_433,
    ],
    [
      "distilbert-base-uncased",
      {
        model_type: "distilbert",
        dim: 768,
        n_heads: 12,
        n_layers: 6,
        vocab_size: 30522,
        hidden_dim: 3072,
        max_position_embeddings: 512,
      },
      66_985_530,
    ],
    [
      "deberta-v2-xlarge",
      {
        model_type: "deberta-v2",
        hidden_size: 1536,
        intermediate_size: 6144,
        num_attention_heads: 24,
        num_hidden_layers: 24,
        vocab_size: 128100,
        max_position_embeddings: 512,
        type_vocab_size: 0,
        relative_attention: true,
        position_biased_input: false,
        pos_att_type: "p2c|c2p",
        position_buckets: 256,
        norm_rel_ebd: "layer_norm",
        share_att_key: true,
        conv_kernel_size: 3,
        conv_act: "gelu",
      },
      887_085_156,
    ],
    [
      "rembert",
      {
        model_type: "rembert",
        hidden_size: 1152,
        intermediate_size: 4608,
        num_attention_heads: 18,
        num_hidden_layers: 32,
        vocab_size: 250300,
        input_embedding_size: 256,
        output_embedding_size: 1664,
        max_position_embeddings: 512,
      },
      993_263_548,
    ],
    [
      "EuroBERT-210m",
      { ...base, model_type: "eurobert", num_key_value_heads: 12, vocab_size: 128256 },
      310_266_624,
    ],
    [
      "embeddinggemma-300m",
      {
        model_type: "gemma3_text",
        head_dim: 256,
        hidden_size: 768,
        intermediate_size: 1152,
        num_attention_heads: 3,
        num_hidden_layers: 24,
        num_key_value_heads: 1,
        vocab_size: 262144,
        use_bidirectional_attention: true,
      },
      302_863_104,
    ],
    [
      "xlm-roberta-xl",
      {
        model_type: "xlm-roberta-xl",
        hidden_size: 2560,
        intermediate_size: 10240,
        num_attention_heads: 32,
        num_hidden_layers: 36,
        vocab_size: 250880,
        max_position_embeddings: 514,
      },
      3_482_741_760,
    ],
  ])("%s makes a graph of as many parameters as transformers counts", (_, config, expected) => {
    expect(parametersOf(config)).toBe(expected);
  });
});

function parametersOf(config: JsonObject): number {
  const { graph } = buildGraph({ config, tensors: undefined });
  const absent = [...graph.weights.values()].filter(({ source }) => source.kind === "absent");
  return absent.reduce((sum, { dims }) => sum + dims.reduce((product, size) => product * size, 1), 0);
}

it("NomicBERT's published config, with GPT-2's names, gives the same graph as transformers' config", () => {
  const { config, tensors } = openCheckpoint(zooDirectory("nomic-bert"));
  const published = {
    model_type: "nomic_bert",
    activation_function: "swiglu",
    causal: false,
    layer_norm_epsilon: 1e-12,
    mlp_fc1_bias: false,
    mlp_fc2_bias: false,
    n_embd: 64,
    n_head: 8,
    n_inner: 128,
    n_layer: 2,
    n_positions: 132,
    prenorm: false,
    qkv_proj_bias: false,
    rotary_emb_base: 1000,
    rotary_emb_fraction: 1,
    rotary_emb_interleaved: false,
    rotary_emb_scale_base: null,
    rotary_scaling_factor: null,
    type_vocab_size: 2,
    use_rms_norm: false,
    vocab_size: 320,
  };
  const [ours, theirs] = [published, config].map((config) => {
    const { graph, unused, maxContext } = buildGraph({ config, tensors });
    return { graph, unused, maxContext };
  });
  expect(ours).toEqual(theirs);
});

describe("ESM-1b's absolute positions", () => {
  // The zoo has no table of positions; that of tokens has as many rows.
  const changes = { position_embedding_type: "absolute", max_position_embeddings: 320 };
  const { config, tensors } = withConfig("esm", changes);
  const table = tensors!.get("esm.embeddings.word_embeddings.weight")!;
  const built = buildGraph({
    config,
    tensors: new Map(tensors).set("esm.embeddings.position_embeddings.weight", table),
  });

  it("start after the padding token's id, and padding among tokens has none, as in transformers", async () => {
    const model = await UnsplitModel.load(zooDirectory("esm"), () => built.graph);
    const ids = readGolden("esm").inputIds[0]!.with(3, 0);
    const { logits } = await model.run({
      input_ids: integers(ids, [1, 12]),
      attention_mask: integers(Array<number>(12).fill(1), [1, 12]),
    });
    const ofToken7 = (logits!.data as Float32Array).filter((_, i) => i % 320 === 7);
    // Computed by transformers 5.18 from the same tensors; rounded, with a standard deviation of 4.
    const expected = [
      -5.98938, -2.48539, -1.63143, -3.17125, -0.38391, 1.56206, 1.5396, 2.32861, 0.80681, -5.75865, -1.20535,
      -1.26062,
    ];
    expect(ofToken7).toBeAllclose(expected, { rtol: 0, atol: 4e-4 });
    await model.release();
  });

  it("limit the context to the table's rows behind that of padding", () => {
    expect(built.maxContext).toBe(319);
  });
});

describe("the token dropout of ESM-2", () => {
  const maskToken = 3;

  it("zeroes mask tokens, and scales the others by the ratio of unmasked tokens in training and in this row", async () => {
    const { inputIds } = readGolden("esm");
    const ids = inputIds.map((row) => row.with(4, maskToken).with(7, maskToken));
    const { graph } = buildGraph(withConfig("esm", { token_dropout: true }));
    const model = await UnsplitModel.load(zooDirectory("esm"), () => withEmbeddings(graph));
    const plain = await UnsplitModel.load(zooDirectory("esm"), withEmbeddings);
    const feeds = {
      input_ids: integers(ids.flat(), [2, 12]),
      attention_mask: integers(Array<number>(24).fill(1), [2, 12]),
    };
    const [dropped, whole] = [await model.run(feeds), await plain.run(feeds)];
    const [a, b] = [dropped, whole].map(({ embeddings }) => embeddings!.data as Float32Array);
    const scale = (1 - 0.15 * 0.8) / (1 - 2 / 12);
    const expected = b!.map((x, i) => (ids.flat()[Math.floor(i / 64)] === maskToken ? 0 : scale * x));
    expect(a!).toBeAllclose(expected, { rtol: 1e-6, atol: 0 });
    await Promise.all([model.release(), plain.release()]);
  });
});

/** Adds an output to the graph: the input of the first norm. */
function withEmbeddings(graph: Graph): Graph {
  const name = graph.nodes.find(({ opType }) => opType === "LayerNormalization")!.inputs[0]!;
  const embeddings = { name, type: "float32", dims: ["batch", "sequence", 64] } as const;
  return renameValues({ ...graph, outputs: [...graph.outputs, embeddings] }, (value) =>
    value === name ? "embeddings" : value,
  );
}

describe("BigBird's context", () => {
  it.each<[string, JsonObject, number]>([
    ["ends where transformers switches to sparse attention", {}, 704],
    ["is the number of positions if that is less", { max_position_embeddings: 512 }, 512],
    ["is the number of positions if attention is never sparse", { attention_type: "original_full" }, 4096],
    ["grows with blocks", { block_size: 16, num_random_blocks: 2 }, 144],
    [
      "is 704 if the config only has the number of positions",
      { attention_type: null, num_random_blocks: null },
      704,
    ],
  ])("%s", (_, changes, expected) => {
    const { config } = openCheckpoint(zooDirectory("big-bird"));
    const published = { ...config, max_position_embeddings: 4096, ...changes };
    expect(buildGraph({ config: published, tensors: undefined }).maxContext).toBe(expected);
  });
});

it("RemBERT projects embeddings even if they are as wide as the model, and its head is never the embedding", () => {
  const { config } = openCheckpoint(zooDirectory("rembert"));
  const changes = { input_embedding_size: 64, output_embedding_size: 64, tie_word_embeddings: true };
  const { graph } = buildGraph({ config: { ...config, ...changes }, tensors: undefined });
  expect([...graph.weights.keys()]).toEqual(
    expect.arrayContaining([
      "rembert.encoder.embedding_hidden_mapping_in.weight",
      "cls.predictions.decoder.weight",
    ]),
  );
});

it("a group of ALBERT may have more layers than the model makes passes through groups", () => {
  const { config } = openCheckpoint(zooDirectory("albert"));
  const changes = { num_hidden_layers: 1, num_hidden_groups: 1, inner_group_num: 2 };
  const { graph } = buildGraph({ config: { ...config, ...changes }, tensors: undefined });
  expect([...graph.weights.keys()]).toContain(
    "albert.encoder.albert_layer_groups.0.albert_layers.1.ffn.weight",
  );
});

describe("an encoder's config is refused with RR_CONFIG for", () => {
  it.each<[string, string, JsonObject]>([
    ["a decoder", "bert", { is_decoder: true }],
    ["cross-attention", "roberta", { add_cross_attention: true }],
    ["positions relative to keys", "bert", { position_embedding_type: "relative_key" }],
    ["positions of ESM relative to keys", "esm", { position_embedding_type: "relative_key" }],
    ["a folding model", "esm", { is_folding_model: true }],
    ["an odd window", "longformer", { attention_window: [16, 15] }],
    [
      "windows of fewer layers than there are",
      "longformer",
      { attention_window: [16, 16], num_hidden_layers: 3 },
    ],
    ["an unknown kind of attention", "big-bird", { attention_type: "dense" }],
    ["a decoder with norms before sublayers", "megatron-bert", { is_decoder: true }],
    ["an adaptive softmax of FlauBERT", "flaubert", { asm: true }],
    ["an unknown type of layer", "modernbert", { layer_types: ["full_attention", "mamba"] }],
    ["an adaptive softmax", "xlm", { asm: true }],
    ["a causal XLM", "xlm", { causal: true }],
    ["a convolution without a middle", "deberta-v2", { conv_kernel_size: 4 }],
    ["an unknown kind of score", "deberta", { pos_att_type: "c2p|p2p" }],
    ["attention to one side", "xlnet", { attn_type: "uni" }],
    ["a feed-forward that is not gated", "nomic-bert", { activation_function: "gelu" }],
    ["biases on queries, keys and values", "nomic-bert", { qkv_proj_bias: true }],
    ["rotary positions on some lanes", "nomic-bert", { rotary_emb_fraction: 0.5 }],
    ["rotary positions that are scaled", "nomic-bert", { rotary_scaling_factor: 2 }],
  ])("%s", (_, name, changes) => {
    expect(() => buildGraph(withConfig(name, changes))).toThrow(
      expect.objectContaining({ code: "RR_CONFIG" }),
    );
  });
});
