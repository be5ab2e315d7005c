import { describe, expect, it } from "vitest";
import { type Checkpoint, type JsonObject, openCheckpoint } from "../../checkpoint/index.js";
import { zooDirectory } from "../../testing/fixtures.js";
import { buildGraph, contextLimits } from "../index.js";
import { wrappers } from "./index.js";

/** The zoo's checkpoint of each text model, by its `model_type`. */
const texts = new Map([
  ["gemma3_text", "gemma3"],
  ["gemma4_text", "gemma4-moe"],
  ["gemma4_unified_text", "gemma4-moe"],
  ["glm4v_text", "glm4"],
  ["llama4_text", "llama4"],
  ["qwen2_vl_text", "qwen2"],
  ["qwen2_5_vl_text", "qwen2"],
  ["qwen3_moe", "qwen3-moe"],
  ["qwen3_vl_text", "qwen3"],
  ["qwen3_vl_moe_text", "qwen3-vl-moe"],
]);

function textCheckpoint(type: string): Checkpoint {
  return openCheckpoint(zooDirectory(texts.get(type) ?? type));
}

/** Text models that the zoo only has inside a wrapper. */
const within: ReadonlySet<string> = new Set([
  "glm4v_moe_text",
  "glm_ocr_text",
  "qwen3_5_moe_text",
  "qwen3_5_text",
  "qwen3_vl_moe_text",
]);

const pairs = [...wrappers].flatMap(([name, { texts, module = "language_model" }]) =>
  texts.filter((type) => !within.has(type)).map((type) => ({ name, type, module })),
);

describe.each(pairs)("$name around $type", ({ name, type, module }) => {
  const { config, tensors } = textCheckpoint(type);
  const whole = { model_type: name, text_config: { ...config, model_type: type } };

  /** As written by transformers 4, by transformers 5, and from the model without its head. */
  it.each<[string, (tensor: string) => string]>([
    ["before", (tensor) => `${module}.${tensor}`],
    ["within", (tensor) => tensor.replace(/^model\./, `model.${module}.`)],
    ["before, and no prefix in", (tensor) => `${module}.${tensor.replace(/^model\./, "")}`],
  ])("is the text model, with its module's name %s the tensors' names", (_, rename) => {
    const [[, any]] = [...tensors!] as [[string, never]];
    const renamed = new Map([...tensors!].map(([tensor, stored]) => [rename(tensor), stored]));
    const { graph, unused } = buildGraph({
      config: whole,
      tensors: new Map([...renamed, ["vision_tower.layers.0.self_attn.q_proj.weight", any]]),
    });
    const alone = buildGraph({ config: { ...config, model_type: type }, tensors }).graph;
    const operators = ({ nodes }: typeof graph) => nodes.map(({ opType }) => opType);
    expect(operators(graph)).toEqual(operators(alone));
    const sources = ({ weights }: typeof graph) => [...weights.values()].map(({ source }) => source);
    expect(sources(graph)).toEqual(sources(alone));
    expect(unused).toEqual([]);
  });
});

describe("a published config is enough to plan", () => {
  const llava = {
    model_type: "llava",
    image_token_index: 32000,
    text_config: {
      model_type: "llama",
      max_position_embeddings: 4096,
      rms_norm_eps: 1e-5,
      vocab_size: 32064,
    },
    vocab_size: 32064,
  };
  const gemma3 = {
    model_type: "gemma3",
    eos_token_id: [1, 106],
    text_config: {
      hidden_size: 2560,
      intermediate_size: 10240,
      model_type: "gemma3_text",
      num_hidden_layers: 34,
      rope_scaling: { factor: 8, rope_type: "linear" },
      sliding_window: 1024,
    },
  };
  const qwen25Vl = {
    model_type: "qwen2_5_vl",
    eos_token_id: 151645,
    hidden_size: 3584,
    intermediate_size: 18944,
    max_position_embeddings: 128000,
    max_window_layers: 28,
    num_attention_heads: 28,
    num_hidden_layers: 28,
    num_key_value_heads: 4,
    rope_scaling: { type: "mrope", mrope_section: [16, 24, 24] },
    rope_theta: 1000000,
    sliding_window: 32768,
    tie_word_embeddings: false,
    use_sliding_window: false,
    vision_config: { depth: 32, hidden_size: 1280 },
    vocab_size: 152064,
  };

  it.each<{ config: JsonObject; billions: number; maxContext: number; eos: number | number[] }>([
    { config: llava, billions: 6.74, maxContext: 4096, eos: 2 },
    { config: gemma3, billions: 3.88, maxContext: 131072, eos: [1, 106] },
    { config: qwen25Vl, billions: 7.62, maxContext: 128000, eos: 151645 },
  ])("$config.model_type with a text model of $billions billion parameters", (expected) => {
    const { graph, config, maxContext } = buildGraph({ config: expected.config, tensors: undefined });
    const absent = [...graph.weights.values()].filter(({ source }) => source.kind === "absent");
    const parameters = absent.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0);
    expect(parameters / 1e9).toBeCloseTo(expected.billions, 2);
    expect(maxContext).toBe(expected.maxContext);
    expect(config.eos_token_id).toEqual(expected.eos);
  });
});

describe("a wrapper", () => {
  const { config, tensors } = openCheckpoint(zooDirectory("llava"));
  const text = config.text_config as JsonObject;

  it("reports unused tensors next to the text model's layers", () => {
    const [[, any]] = [...tensors!] as [[string, never]];
    const extra = "language_model.model.layers.2.mlp.up_proj.weight";
    expect(buildGraph({ config, tensors: new Map([...tensors!, [extra, any]]) }).unused).toEqual([extra]);
  });

  it("ignores the layer for multi-token prediction after the last one", () => {
    const { config, tensors } = openCheckpoint(zooDirectory("glm4v-moe"));
    const [[, any]] = [...tensors!] as [[string, never]];
    const extra = "model.language_model.layers.46.eh_proj.weight";
    expect(buildGraph({ config, tensors: new Map([...tensors!, [extra, any]]) }).unused).toEqual([]);
  });

  it("is tied if either config says so", () => {
    const head = "language_model.lm_head.weight";
    const headless = new Map([...tensors!].filter(([name]) => name !== head));
    const tied = { ...config, text_config: { ...text, tie_word_embeddings: true } };
    expect(buildGraph({ config: tied, tensors: headless }).graph.weights.has(head)).toBe(false);
    expect(() => buildGraph({ config, tensors: headless })).toThrow(
      expect.objectContaining({ code: "RR_TENSOR", message: expect.stringContaining(head) }),
    );
  });

  it.each<[string, JsonObject]>([
    ["an unknown text model", { text_config: { ...text, model_type: "granite" } }],
    ["no text model", { text_config: null }],
    [
      "a text model without a size that its class has no default for",
      { text_config: { model_type: "qwen3_moe" } },
    ],
    ["quantized weights", { quantization_config: { quant_method: "fp8" } }],
    [
      "a text model with quantized weights",
      { text_config: { ...text, quantization_config: { quant_method: "fp8" } } },
    ],
  ])("is refused with RR_CONFIG if it has %s", (_, changes) => {
    const changed = { ...config, model_type: "internvl", ...changes };
    expect(() => buildGraph({ config: changed, tensors })).toThrow(
      expect.objectContaining({ code: "RR_CONFIG" }),
    );
  });

  it("does not cap logits, whatever its text_config says, if it has a head of its own", () => {
    const { config, tensors } = openCheckpoint(zooDirectory("gemma3-vision"));
    const capped = { ...(config.text_config as JsonObject), final_logit_softcapping: 30 };
    const graphs = [config, { ...config, text_config: capped }].map(
      (config) => buildGraph({ config, tensors }).graph,
    );
    expect(graphs[1]).toEqual(graphs[0]);
  });

  it("determines the end-of-text token, even if that is token 0", () => {
    const ended = { ...config, eos_token_id: 0 };
    expect(buildGraph({ config: ended, tensors }).config.eos_token_id).toBe(0);
  });

  it("limits the length of a sequence to the text model's, also for a model in another file format", () => {
    expect(
      contextLimits({ model_type: "llava", text_config: { model_type: "granite", n_positions: 9 } }),
    ).toEqual({ maxContext: 9 });
  });
});
