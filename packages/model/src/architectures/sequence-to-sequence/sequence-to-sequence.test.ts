import { describe, expect, it } from "vitest";
import { type JsonObject, openCheckpoint } from "../../checkpoint/index.js";
import type { Graph } from "../../graph/index.js";
import { zooDirectory } from "../../testing/fixtures.js";
import { buildGraph } from "../index.js";

describe("the graph of an encoder–decoder", () => {
  const { graph } = buildGraph(openCheckpoint(zooDirectory("t5")));

  it("has the encoder's inputs and outputs in `encode`, and those of a decoder step in `decode`", () => {
    const { encode, decode } = graph.entries!;
    expect(encode!.inputs).toEqual(["input_ids", "attention_mask"]);
    expect(encode!.outputs).toEqual([
      "last_hidden_state",
      ...["cross.0.key", "cross.0.value", "cross.1.key", "cross.1.value"],
    ]);
    expect(decode!.inputs).toEqual(
      expect.arrayContaining(["decoder_input_ids", "decoder_attention_mask", "position_ids", "logit_rows"]),
    );
    expect(decode!.outputs).toEqual(expect.arrayContaining(["logits", "present.0.key", "present.1.value"]));
  });

  it("has one cache for the decoder's own rows and one for those that `encode` fills", () => {
    expect(graph.caches.map(({ positions, filledBy }) => ({ positions, filledBy }))).toEqual([
      { positions: "past_positions", filledBy: undefined },
      { positions: "encoder_positions", filledBy: "encode" },
    ]);
    expect(graph.caches[1]!.states[0]).toEqual({ past: "encoded.0.key", present: "cross.0.key", axis: 2 });
  });
});

describe("the published config of", () => {
  const t5Small = { model_type: "t5", d_model: 512, d_kv: 64, num_layers: 6, vocab_size: 32128 };
  it.each<[string, JsonObject, number]>([
    ["t5-small", { ...t5Small, d_ff: 2048, num_heads: 8 }, 60_506_624],
    [
      "flan-t5-small",
      {
        ...t5Small,
        d_ff: 1024,
        num_heads: 6,
        num_layers: 8,
        num_decoder_layers: 8,
        feed_forward_proj: "gated-gelu",
        tie_word_embeddings: false,
      },
      76_961_152,
    ],
    [
      "mt5-small",
      {
        ...t5Small,
        model_type: "mt5",
        vocab_size: 250112,
        d_ff: 1024,
        num_heads: 6,
        num_layers: 8,
        tie_word_embeddings: false,
      },
      300_176_768,
    ],
    [
      "bart-base",
      {
        model_type: "bart",
        vocab_size: 50265,
        d_model: 768,
        encoder_layers: 6,
        decoder_layers: 6,
        encoder_attention_heads: 12,
        decoder_attention_heads: 12,
        encoder_ffn_dim: 3072,
        decoder_ffn_dim: 3072,
        max_position_embeddings: 1024,
      },
      // The bias of the logits is a buffer, which transformers does not count.
      139_420_416 + 50_265,
    ],
    [
      "wmt19-en-de",
      {
        model_type: "fsmt",
        src_vocab_size: 42024,
        tgt_vocab_size: 42024,
        d_model: 1024,
        encoder_layers: 6,
        decoder_layers: 6,
        encoder_attention_heads: 16,
        decoder_attention_heads: 16,
        encoder_ffn_dim: 8192,
        decoder_ffn_dim: 4096,
        max_position_embeddings: 1024,
      },
      // Without sinusoids, which are computed.
      357_912_576 - 2 * 1026 * 1024,
    ],
    [
      "led-base-16384",
      {
        model_type: "led",
        vocab_size: 50265,
        d_model: 768,
        encoder_layers: 6,
        decoder_layers: 6,
        encoder_attention_heads: 12,
        decoder_attention_heads: 12,
        encoder_ffn_dim: 3072,
        decoder_ffn_dim: 3072,
        max_encoder_position_embeddings: 16384,
        max_decoder_position_embeddings: 1024,
        attention_window: [1024, 1024, 1024, 1024, 1024, 1024],
      },
      // With the bias of the logits, and without the projections for global attention.
      161_844_480 + 50_265 - 10_630_656,
    ],
  ])("%s makes a graph of as many parameters as transformers counts", (_, config, expected) => {
    const { graph } = buildGraph({ config, tensors: undefined });
    const absent = [...graph.weights.values()].filter(({ source }) => source.kind === "absent");
    const parameters = absent.reduce((sum, { dims }) => sum + dims.reduce((n, size) => n * size, 1), 0);
    expect(parameters).toBe(expected);
  });
});

describe("a T5 without a head of its own uses the embedding", () => {
  const { config, tensors } = openCheckpoint(zooDirectory("t5"));
  const { scale_decoder_outputs: _, ...published } = config;
  const graphOf = (changes: JsonObject): Graph =>
    buildGraph({ config: { ...published, ...changes }, tensors }).graph;

  it.each([null, false, true])("if tie_word_embeddings is %s", (tie_word_embeddings) => {
    const { weights } = graphOf({ tie_word_embeddings });
    expect([...weights.keys()].filter((name) => /^(shared|lm_head)/.test(name))).toEqual(["shared.weight"]);
  });

  it("and scales the logits if tie_word_embeddings is null, absent or true, but not if it is false", () => {
    expect(graphOf({ tie_word_embeddings: null })).toEqual(graphOf({ tie_word_embeddings: true }));
    expect(graphOf({ tie_word_embeddings: false })).toEqual(graphOf({ scale_decoder_outputs: false }));
    expect(graphOf({ tie_word_embeddings: false })).not.toEqual(graphOf({ tie_word_embeddings: true }));
  });
});

describe("logits are scaled", () => {
  const { config, tensors } = openCheckpoint(zooDirectory("umt5"));
  const scaleOf = (changes: JsonObject) => {
    const { graph } = buildGraph({ config: { ...config, ...changes }, tensors });
    return graph.nodes.find(({ outputs }) => outputs[0] === "logits")?.attributes.alpha;
  };

  it("in UMT5, unless tie_word_embeddings is false", () => {
    expect(scaleOf({})).toEqual({ kind: "float", value: 1 / 8 });
    expect(scaleOf({ tie_word_embeddings: false })).not.toEqual(scaleOf({}));
  });

  it("never in mT5", () => {
    const scales = [true, false].map((tie_word_embeddings) =>
      scaleOf({ model_type: "mt5", tie_word_embeddings }),
    );
    expect(scales[0]).toEqual(scales[1]);
    expect(scales[0]).not.toEqual(scaleOf({}));
  });
});

describe("FSMT", () => {
  const { config, tensors } = openCheckpoint(zooDirectory("fsmt"));

  it("computes the sinusoids if the checkpoint does not contain them", () => {
    const without = new Map([...tensors!].filter(([name]) => !name.includes("embed_positions")));
    const { graph, unused } = buildGraph({ config, tensors: without });
    expect(graph.nodes.filter(({ opType }) => opType === "Sin")).toHaveLength(2);
    expect(unused).toEqual([]);
  });

  it("has rows of the position table for padding and what precedes it, in addition to those for tokens", () => {
    const padded = { ...config, pad_token_id: 1, max_position_embeddings: 47 };
    const { graph } = buildGraph({ config: padded, tensors });
    expect(graph.weights.get("model.encoder.embed_positions.weight")?.dims).toEqual([49, 64]);
  });

  it("can have one table for both sides and the head", () => {
    const one = { ...config, src_vocab_size: 112, tie_word_embeddings: true };
    const { graph } = buildGraph({ config: one, tensors: undefined });
    const tables = [...graph.weights.keys()].filter((name) => /embed_tokens|output_projection/.test(name));
    expect(tables).toEqual(["model.decoder.embed_tokens.weight"]);
  });
});

it("MVP without prompts computes what BART does", () => {
  const { config } = openCheckpoint(zooDirectory("mvp"));
  const graphOf = (changes: JsonObject): Graph =>
    buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph;
  expect(graphOf({ use_prompt: false })).toEqual(graphOf({ model_type: "bart" }));
  expect(graphOf({ use_prompt: true })).not.toEqual(graphOf({ use_prompt: false }));
});

it("LED does not scale embeddings, whatever its config says", () => {
  const { config } = openCheckpoint(zooDirectory("led"));
  const [stated, silent] = [{ scale_embedding: true }, {}].map(
    (changes) => buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph,
  );
  expect(stated).toEqual(silent);
});

describe("an encoder–decoder's config is refused with RR_CONFIG for", () => {
  it.each<[string, string, JsonObject]>([
    ["a T5 that is only a decoder", "t5", { is_decoder: true }],
    ["an unknown feed-forward", "t5", { feed_forward_proj: "gated-softsign" }],
    ["a number of heads that does not divide the width", "bart", { decoder_attention_heads: 7 }],
    [
      "sinusoids of an odd width",
      "m2m-100",
      { d_model: 63, encoder_attention_heads: 9, decoder_attention_heads: 9 },
    ],
    ["a decoder alone", "bart", { is_decoder: true }],
    ["one table for two vocabularies", "fsmt", { tie_word_embeddings: true }],
    ["an odd window", "led", { attention_window: [8, 3] }],
  ])("%s", (_, name, changes) => {
    const { config } = openCheckpoint(zooDirectory(name));
    expect(() => buildGraph({ config: { ...config, ...changes }, tensors: undefined })).toThrow(
      expect.objectContaining({ code: "RR_CONFIG" }),
    );
  });
});

it("Marian has a table of tokens for each side if they do not share one, and the head is the decoder's", () => {
  const { config } = openCheckpoint(zooDirectory("marian"));
  const apart = { share_encoder_decoder_embeddings: false, decoder_vocab_size: 99 };
  const { graph } = buildGraph({ config: { ...config, ...apart }, tensors: undefined });
  const rows = [...graph.weights].flatMap(([name, { dims }]) =>
    /embed_tokens/.test(name) ? [[name, dims[0]]] : [],
  );
  expect(rows).toEqual([
    ["model.encoder.embed_tokens.weight", config.vocab_size],
    ["model.decoder.embed_tokens.weight", 99],
  ]);
  expect(graph.weights.get("final_logits_bias")!.dims).toEqual([1, 99]);
  expect(graph.outputs.find(({ name }) => name === "logits")!.dims).toEqual(["rows", 99]);
});
