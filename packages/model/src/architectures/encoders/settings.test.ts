import { describe, expect, it } from "vitest";
import { type JsonObject, openCheckpoint, type StoredTensor } from "../../checkpoint/index.js";
import { readGolden, zooDirectory } from "../../testing/fixtures.js";
import { integers, UnsplitModel } from "../../testing/unsplit-model.js";
import { buildGraph } from "../index.js";

/** By the name of a tensor that the zoo's checkpoint lacks: the one whose first values it gets, and its shape. */
type Borrowed = Readonly<Record<string, readonly [from: string, dims: readonly number[]]>>;

interface Setting {
  readonly changes: JsonObject;
  readonly borrowed?: Borrowed;
  /**
   * The logits of token 7 in the second row of the golden input, up to its padding. Computed by transformers 5.18 from
   * the same tensors; rounded, with a standard deviation of 3 to 4.
   */
  readonly expected: readonly number[];
}

async function expectSetting(name: string, { changes, borrowed = {}, expected }: Setting): Promise<void> {
  const { config, tensors } = openCheckpoint(zooDirectory(name));
  const stored = new Map(tensors);
  for (const [added, [from, dims]] of Object.entries(borrowed)) {
    stored.set(added, firstOf(tensors!.get(from)!, dims));
  }
  const { graph } = buildGraph({ config: { ...config, ...changes }, tensors: stored });
  const model = await UnsplitModel.load(zooDirectory(name), () => graph);
  const { inputIds, padded, vocabulary } = readGolden(name);
  const { logits } = await model.run({
    input_ids: integers(inputIds.flat(), [2, 12]),
    attention_mask: integers(padded!.mask.flat(), [2, 12]),
  });
  const ofToken7 = (logits!.data as Float32Array).filter((_, i) => i % vocabulary === 7);
  expect(ofToken7.slice(12, 12 + expected.length)).toBeAllclose(expected, { rtol: 0, atol: 4e-4 });
  await model.release();
}

function firstOf(tensor: StoredTensor, dims: readonly number[]): StoredTensor {
  const share = dims.reduce((a, b) => a * b, 1) / tensor.dims.reduce((a, b) => a * b, 1);
  return { ...tensor, dims, bytes: share * tensor.bytes };
}

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
