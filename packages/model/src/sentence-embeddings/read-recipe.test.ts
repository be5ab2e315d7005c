import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { readEmbeddingRecipe } from "./read-recipe.js";

const fixtures = fileURLToPath(new URL("../../../../test/fixtures/sentence-transformers/", import.meta.url));

const module = (type: string, path: string) => ({ type: `sentence_transformers.models.${type}`, path });
const usual = [module("Transformer", ""), module("Pooling", "1_Pooling")];

/** The recipe of a directory with these files as JSON, besides modules.json and the config of Pooling. */
function recipeOf(modules: unknown, files: Readonly<Record<string, unknown>> = {}) {
  const all = { "modules.json": modules, "1_Pooling/config.json": {}, ...files };
  const texts = Object.entries(all).map(([name, content]) => [name, JSON.stringify(content)]);
  return readEmbeddingRecipe(temporaryDirectory(Object.fromEntries(texts)));
}

describe("a recipe", () => {
  it("is absent without modules.json", () => {
    expect(readEmbeddingRecipe(temporaryDirectory())).toBeUndefined();
  });

  it("has the modules, as older and newer versions of sentence-transformers write them", () => {
    const dense = { activation: "identity", bias: undefined };
    expect(readEmbeddingRecipe(`${fixtures}gemma3-dense`)).toMatchObject({
      pooling: ["mean"],
      poolsPrompt: true,
      dense: [
        { ...dense, inputs: 32, outputs: 48 },
        { ...dense, inputs: 48, outputs: 24 },
      ],
      normalizes: true,
      prompts: { query: "the query: ", document: "of: " },
      defaultPrompt: "",
      cut: { maxTokens: 32, isStated: true, keeps: "beginning" },
    });
    expect(readEmbeddingRecipe(`${fixtures}qwen3-last`)).toMatchObject({
      pooling: ["lasttoken"],
      dense: [],
      normalizes: true,
      dimensions: 24,
      defaultPrompt: "the query: ",
      cut: { maxTokens: 40, isStated: false },
    });
    expect(readEmbeddingRecipe(`${fixtures}t5-prompt`)).toMatchObject({
      poolsPrompt: false,
      dense: [{ activation: "tanh", bias: { kind: "file" } }],
      normalizes: false,
      cut: { maxTokens: 12, keeps: "end" },
    });
  });

  it("has the mean, no prompts and no limit if no file says otherwise", () => {
    expect(recipeOf(usual)).toEqual({
      pooling: ["mean"],
      poolsPrompt: true,
      dense: [],
      normalizes: false,
      prompts: {},
      defaultPrompt: "",
      dimensions: undefined,
      cut: { maxTokens: undefined, isStated: false, keeps: "beginning" },
    });
  });

  it("has no limit if the tokenizer's is that of transformers for none", () => {
    const files = { "tokenizer_config.json": { model_max_length: 1e30 } };
    expect(recipeOf(usual, files)).toMatchObject({ cut: { maxTokens: undefined } });
  });
});

describe("what is not supported is named:", () => {
  const dense = [...usual, module("Dense", "2_Dense")];
  const sizes = { in_features: 2, out_features: 2 };

  it.each<[string, unknown, Readonly<Record<string, unknown>>]>([
    ["StaticEmbedding", [module("StaticEmbedding", "")], {}],
    ["WeightedLayerPooling", [usual[0], module("WeightedLayerPooling", "1_P"), usual[1]], {}],
    ["LayerNorm", [...usual, module("LayerNorm", "2_LayerNorm")], {}],
    ["Normalize, Dense", [...usual, module("Normalize", "2_Normalize"), module("Dense", "3_Dense")], {}],
    ["custom.Pooling", [usual[0], { type: "custom.Pooling", path: "1_Pooling" }], {}],
    ["the modules Transformer;", [usual[0]], {}],
    ["0_Transformer", [module("Transformer", "0_Transformer"), usual[1]], {}],
    ["adapter_config.json", usual, { "adapter_config.json": {} }],
    ["SparseEncoder", usual, { "config_sentence_transformers.json": { model_type: "SparseEncoder" } }],
    [
      "token_embeddings",
      dense,
      { "2_Dense/config.json": { ...sizes, module_input_name: "token_embeddings" } },
    ],
    ["use_residual", dense, { "2_Dense/config.json": { ...sizes, use_residual: true } }],
    ["torch.nn.PReLU", dense, { "2_Dense/config.json": { ...sizes, activation_function: "torch.nn.PReLU" } }],
    ["own.Tanh", dense, { "2_Dense/config.json": { ...sizes, activation_function: "own.Tanh" } }],
    ["model.safetensors", dense, { "2_Dense/config.json": sizes }],
    ["transformer_task", usual, { "sentence_bert_config.json": { transformer_task: "fill-mask" } }],
    ["modality_config", usual, { "sentence_bert_config.json": { modality_config: { message: {} } } }],
    [
      "processing_kwargs",
      usual,
      { "sentence_bert_config.json": { processing_kwargs: { text: { padding: true } } } },
    ],
    ["config_args", usual, { "sentence_bert_config.json": { config_args: { is_causal: false } } }],
    ["invented_setting", usual, { "sentence_roberta_config.json": { invented_setting: 1 } }],
  ])("%s", (named, modules, files) => {
    expect(recipeOf(modules, files)).toEqual({ obstacle: expect.stringContaining(named) });
  });
});

describe("what makes no sense is an error:", () => {
  const dense = [...usual, module("Dense", "2_Dense")];
  const matrix = readFileSync(`${fixtures}gemma3-dense/2_Dense/model.safetensors`);
  const withMatrix = (bytes: Uint8Array, config: object) =>
    readEmbeddingRecipe(
      temporaryDirectory({
        "modules.json": JSON.stringify(dense),
        "1_Pooling/config.json": "{}",
        "2_Dense/config.json": JSON.stringify({ in_features: 32, out_features: 48, bias: false, ...config }),
        "2_Dense/model.safetensors": bytes,
      }),
    );
  const config = "config_sentence_transformers.json";

  it.each<[string, string, () => unknown]>([
    ["modules.json that is no list", "RR_FILE_FORMAT", () => recipeOf({})],
    [
      "a module without a path",
      "RR_FILE_FORMAT",
      () => recipeOf([{ type: "sentence_transformers.models.Pooling" }]),
    ],
    ["a module elsewhere", "RR_PATH", () => recipeOf([usual[0], module("Pooling", "../other")])],
    [
      "Pooling without its config",
      "RR_MISSING_FILE",
      () => recipeOf([usual[0], module("Pooling", "2_Pooling")]),
    ],
    [
      "an unknown pooling",
      "RR_CONFIG",
      () => recipeOf(usual, { "1_Pooling/config.json": { pooling_mode: "median" } }),
    ],
    [
      "no pooling at all",
      "RR_CONFIG",
      () => recipeOf(usual, { "1_Pooling/config.json": { pooling_mode: [] } }),
    ],
    [
      "a default prompt that is not there",
      "RR_CONFIG",
      () => recipeOf(usual, { [config]: { default_prompt_name: "q" } }),
    ],
    ["a prompt that is no text", "RR_CONFIG", () => recipeOf(usual, { [config]: { prompts: { query: 1 } } })],
    [
      "a limit of no tokens",
      "RR_CONFIG",
      () => recipeOf(usual, { "sentence_bert_config.json": { max_seq_length: 0 } }),
    ],
    ["a matrix of another shape", "RR_TENSOR", () => withMatrix(matrix, { out_features: 47 })],
    ["a bias that is not there", "RR_TENSOR", () => withMatrix(matrix, { bias: true })],
    ["a matrix that is cut off", "RR_FILE_FORMAT", () => withMatrix(matrix.subarray(0, -1), {})],
  ])("%s", (_, code, read) => {
    expect(read).toThrow(expect.objectContaining({ code }));
  });
});
