import { describe, it } from "vitest";
import { type Borrowed, expectSetting, type Setting } from "../../testing/settings.js";

const words = "deberta.embeddings.word_embeddings.weight";
const norm = "deberta.embeddings.LayerNorm";
const transform = "cls.predictions.transform";

describe("DeBERTa computes what transformers does", () => {
  const positions: Borrowed = { "deberta.embeddings.position_embeddings.weight": [words, [132, 64]] };
  const narrow: Borrowed = {
    [words]: [words, [320, 32]],
    "deberta.embeddings.embed_proj.weight": ["deberta.encoder.layer.0.intermediate.dense.weight", [64, 32]],
    [`${transform}.dense.weight`]: [`${transform}.dense.weight`, [32, 64]],
    [`${transform}.dense.bias`]: [`${transform}.dense.bias`, [32]],
    [`${transform}.LayerNorm.weight`]: [`${transform}.LayerNorm.weight`, [32]],
    [`${transform}.LayerNorm.bias`]: [`${transform}.LayerNorm.bias`, [32]],
  };
  const ownHead: Borrowed = {
    "lm_predictions.lm_head.dense.weight": [`${transform}.dense.weight`, [64, 64]],
    "lm_predictions.lm_head.dense.bias": [`${norm}.bias`, [64]],
    "lm_predictions.lm_head.LayerNorm.weight": [`${transform}.LayerNorm.weight`, [64]],
    "lm_predictions.lm_head.LayerNorm.bias": [`${transform}.LayerNorm.bias`, [64]],
    "lm_predictions.lm_head.bias": ["cls.predictions.bias", [320]],
  };
  const convolution: Borrowed = {
    "deberta.encoder.conv.conv.weight": [words, [64, 64, 3]],
    "deberta.encoder.conv.conv.bias": [`${norm}.bias`, [64]],
    "deberta.encoder.conv.LayerNorm.weight": [`${norm}.weight`, [64]],
    "deberta.encoder.conv.LayerNorm.bias": [`${norm}.bias`, [64]],
  };

  it.each<[string, string, Setting]>([
    [
      "with positions in the embeddings, too",
      "deberta",
      {
        changes: { position_biased_input: true },
        borrowed: positions,
        expected: [0.52454, -4.86149, -4.11315, 1.48749, 3.70171, -0.52441, -1.24501, -0.64329],
      },
    ],
    [
      "with positions in the embeddings, too",
      "deberta-v2",
      {
        changes: { position_biased_input: true },
        borrowed: positions,
        expected: [-6.36203, -1.86345, -1.94964, 0.40612, -1.53627, 1.0484, 1.46884, -2.78201],
      },
    ],
    [
      "without positions, but with scores scaled as if there were",
      "deberta",
      {
        changes: { relative_attention: false },
        expected: [-0.31989, -0.77799, -2.57379, -3.49487, 0.11834, -1.86388, -5.58108, -1.82175],
      },
    ],
    [
      "without positions, but with scores scaled as if there were",
      "deberta-v2",
      {
        changes: { relative_attention: false },
        expected: [-4.20463, -2.99528, -1.50593, -2.17331, -0.45355, 1.02471, 2.86409, -1.19816],
      },
    ],
    [
      "with narrow embeddings, which are projected before they are normed",
      "deberta",
      {
        changes: { embedding_size: 32 },
        borrowed: narrow,
        expected: [-1.67246, -1.23121, -0.1168, 2.84863, 1.65892, -0.30318, 3.16809, -0.36514],
      },
    ],
    [
      "with narrow embeddings, which are projected before they are normed",
      "deberta-v2",
      {
        changes: { embedding_size: 32 },
        borrowed: narrow,
        expected: [-4.01947, -4.97704, -5.95228, -5.5819, -7.64362, -5.03982, -1.29088, -7.47804],
      },
    ],
    [
      "with the head of the original, whose matrix is always the embedding",
      "deberta-v2",
      {
        changes: { legacy: false, tie_word_embeddings: false },
        borrowed: ownHead,
        expected: [-3.13785, -2.2659, -1.91744, -1.77784, 0.98741, -1.23438, 1.66692, 0.78768],
      },
    ],
    [
      "with a convolution beside the first layer, which does not read padding",
      "deberta-v2",
      {
        changes: { conv_kernel_size: 3 },
        borrowed: convolution,
        expected: [1.31339, -3.52991, 0.56502, -1.57876, 0.59992, 3.13444, 5.53994, 4.79319],
      },
    ],
  ])("%s (%s)", async (_, name, setting) => {
    await expectSetting(name, setting);
  });
});

/** Biases of these modules in both layers, each with the first numbers of the module's matrix. */
function biasesOf(layers: string, modules: Readonly<Record<string, number>>): Borrowed {
  const names = [0, 1].flatMap((layer) =>
    Object.keys(modules).map((module) => `${layers}.${layer}.${module}`),
  );
  return Object.fromEntries(
    names.map((name) => [`${name}.bias`, [`${name}.weight`, [modules[name.split(/\.\d\./)[1]!]!]]]),
  );
}

const attentionBiases = {
  "self_attn.q_proj": 64,
  "self_attn.k_proj": 16,
  "self_attn.v_proj": 16,
  "self_attn.o_proj": 64,
};

it.each<[string, string, Setting]>([
  [
    "has biases in attention",
    "embeddinggemma",
    {
      changes: { attention_bias: true },
      borrowed: biasesOf("layers", attentionBiases),
      expected: [3.5569, -0.20287, -2.3589, 1.76211, -1.68145, 2.66993, -4.13766, 2.3862],
    },
  ],
  [
    "has windows of an odd length in the layers of a pattern",
    "embeddinggemma",
    {
      changes: { sliding_window: 7, layer_types: null, sliding_window_pattern: 2 },
      expected: [3.09369, 0.13235, -1.78905, 1.61008, -2.55038, 2.13854, -4.1222, 3.07899],
    },
  ],
  [
    "has biases in attention, feed-forwards and the head",
    "eurobert",
    {
      changes: { attention_bias: true, mlp_bias: true },
      borrowed: {
        ...biasesOf("model.layers", {
          ...attentionBiases,
          "mlp.gate_proj": 32,
          "mlp.up_proj": 32,
          "mlp.down_proj": 64,
        }),
        "lm_head.bias": ["lm_head.weight", [112]],
      },
      expected: [0.46512, 1.32404, 0.08134, 1.11559, 0.92233, 0.62091, 0.68812, 0.54799],
    },
  ],
  [
    "rotates values, too",
    "roformer",
    {
      changes: { rotary_value: true },
      expected: [-3.39241, 3.75995, 2.73951, -0.89266, 3.00129, 7.06645, -1.39731, 4.68401],
    },
  ],
  [
    "scales the embeddings of tokens",
    "big-bird",
    {
      changes: { rescale_embeddings: true },
      expected: [0.37121, -0.61431, 0.14879, 0.36776, -1.75205, 6.9655, -2.06734, -4.12728],
    },
  ],
  [
    "projects queries, keys and values without biases",
    "big-bird",
    {
      changes: { use_bias: false },
      expected: [1.53167, 1.77581, 1.7235, 0.56869, 3.69428, 2.61908, -1.04196, 0.75101],
    },
  ],
  [
    "clamps distances",
    "xlnet",
    {
      changes: { clamp_len: 3 },
      expected: [3.98517, 5.31496, 7.19019, 4.90178, 4.87581, 7.46646, 3.95806, 5.4808],
    },
  ],
])("if its config asks for it, an encoder %s, as in transformers (%s)", async (_, name, setting) => {
  await expectSetting(name, setting);
});
