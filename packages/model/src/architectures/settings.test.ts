import { it } from "vitest";
import { type Borrowed, expectSetting, type Setting } from "../testing/settings.js";

/** Norms of Phi's queries and keys, with the values of its last norm. */
const phiNorms: Borrowed = Object.fromEntries(
  ["0", "1"].flatMap((layer) =>
    ["q_layernorm", "k_layernorm"].flatMap((norm) =>
      ["weight", "bias"].map((kind) => [
        `model.layers.${layer}.self_attn.${norm}.${kind}`,
        [`model.final_layernorm.${kind}`, [8]] as const,
      ]),
    ),
  ),
);

/** Projections to and from the 16 lanes that experts of Nemotron-H read, and experts of that width. */
const latentExperts: Borrowed = {
  "backbone.layers.3.mixer.fc1_latent_proj.weight": ["backbone.layers.2.mixer.q_proj.weight", [16, 64]],
  "backbone.layers.3.mixer.fc2_latent_proj.weight": ["backbone.layers.2.mixer.o_proj.weight", [64, 16]],
  ...Object.fromEntries(
    [0, 1, 2, 3].flatMap((expert) => {
      const [up, down] = ["up", "down"].map(
        (name) => `backbone.layers.3.mixer.experts.${expert}.${name}_proj.weight`,
      );
      return [
        [up, [up, [32, 16]]],
        [down, [down, [16, 32]]],
      ];
    }),
  ),
};

it.each<[string, string, Setting]>([
  [
    "clips queries, keys and values",
    "olmo",
    {
      changes: { clip_qkv: 0.5 },
      expected: [-0.78715, 0.90245, -0.89086, -1.12259, -0.22134, 2.04431, -1.01104, -0.82062],
    },
  ],
  [
    "clips normed queries and keys, and values",
    "olmoe",
    {
      changes: { clip_qkv: 0.5 },
      expected: [-0.71486, 0.12446, -0.18475, 0.08791, 1.56008, -0.12688, 0.56175, 0.14633],
    },
  ],
  [
    "clips queries, keys and values, as MPT StoryWriter does",
    "mpt",
    {
      changes: { attn_config: { alibi: true, clip_qkv: 0.5 } },
      expected: [7.81872, -0.5426, 3.71171, 2.30939, -4.22384, -4.70093, -4.06811, 0.41024],
    },
  ],
  [
    "norms the queries and keys of each head",
    "phi",
    {
      changes: { qk_layernorm: true },
      borrowed: phiNorms,
      expected: [1.44832, 0.4376, -0.65226, -0.47377, 0.14419, 0.09401, 0.16868, 0.83513],
    },
  ],
  [
    "has norms without weights",
    "opt",
    {
      changes: { layer_norm_elementwise_affine: false },
      expected: [-6.76502, -2.66871, -3.77124, 0.73905, -3.52936, 1.57273, 1.2166, 6.34651],
    },
  ],
  [
    "adds to the normed stream",
    "bloom",
    {
      changes: { apply_residual_connection_post_layernorm: true },
      expected: [3.94941, 1.52375, 0.51948, -1.13326, -1.46332, 4.69424, -8.5876, -3.24768],
    },
  ],
  [
    "chooses experts by their scores alone",
    "lfm2-moe",
    {
      changes: { use_expert_bias: false },
      expected: [-1.99658, -3.00422, -3.91525, -0.7217, 2.431, 3.02801, -0.36597, 4.63613],
    },
  ],
  [
    "has experts that read a projection of the residual stream",
    "nemotron-h",
    {
      changes: { moe_latent_size: 16 },
      borrowed: latentExperts,
      expected: [0.40299, 1.33614, 0.58324, -0.03658, 0.3164, 0.71385, 0.47034, 1.42826],
    },
  ],
])("if its config asks for it, a model %s, as in transformers (%s)", async (_, name, setting) => {
  await expectSetting(name, setting);
});
