import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { embedding } from "../blocks/embedding.js";
import { attend, mergeHeads } from "../blocks/encoder-attention.js";
import { attentionMaskOf, consecutivePositions, encoderInput } from "../blocks/encoder-input.js";
import { gatedFeedForward } from "../blocks/feed-forward.js";
import { layerTypes } from "../blocks/layer-windows.js";
import { maskedHead } from "../blocks/masked-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { splitParts } from "../blocks/query-key-value.js";
import { rotaryAngles, rotate } from "../blocks/rotary.js";

/**
 * Pre-norm, with rotary positions and gated feed-forwards. Most layers have a sliding window, some full attention; each
 * type has its own rotary frequencies. https://arxiv.org/abs/2412.13663
 */
export const modernbert: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width } = shape;
    const normBias = config.boolean("norm_bias", { default: false });
    const epsilon = config.number("norm_eps", { min: 0, default: 1e-5 });
    const bias = config.boolean("attention_bias", { default: false });
    const norm = (x: Value, name: string) => layerNorm(context, x, { name, width, epsilon, bias: normBias });

    const input = encoderInput(g);
    const kinds = layerKinds(context, shape.headDim, input);
    const gated = {
      width,
      inner: config.integer("intermediate_size"),
      activation: config.string("hidden_activation", { default: "gelu" }),
      bias: config.boolean("mlp_bias", { default: false }),
      fused: true,
      names: { gateUp: "Wi", down: "Wo" },
    };
    const table = {
      name: "model.embeddings.tok_embeddings.weight",
      rows: config.integer("vocab_size"),
      width,
    };

    let x = norm(embedding(context, input.inputIds, table), "model.embeddings.norm");
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `model.layers.${layer}`;
      const { angles, mask } = kinds(layer);
      // The first layer has no norm of its own here: the norm of the embeddings takes its place.
      const normed = layer === 0 ? x : norm(x, `${prefix}.attn_norm`);
      const fused = linear(context, normed, {
        name: `${prefix}.attn.Wqkv`,
        inputs: width,
        outputs: 3 * width,
        bias,
      });
      const { query, key, value } = splitParts(g, fused, shape);
      const mixed = attend(g, {
        query: rotate(g, query, angles),
        key: rotate(g, key, angles),
        value,
        shape,
        biases: [mask],
      });
      x = g.add(x, mergeHeads(context, mixed, { name: `${prefix}.attn.Wo`, shape, bias }));
      const normedAgain = norm(x, `${prefix}.mlp_norm`);
      x = g.add(x, gatedFeedForward(context, normedAgain, { ...gated, prefix: `${prefix}.mlp` }));
    }
    maskedHead(context, norm(x, "model.final_norm"), {
      table,
      width,
      transform: {
        dense: "head.dense",
        bias: config.boolean("classifier_bias", { default: false }),
        activation: config.string("classifier_activation", { default: "gelu" }),
        norm: { name: "head.norm", epsilon, bias: normBias },
      },
      separate: "decoder.weight",
      ...(config.boolean("decoder_bias", { default: true }) && { bias: "decoder.bias" }),
    });
  },
};

/** Rotary angles and mask of each layer. */
function layerKinds(context: ModelContext, headDim: number, input: ReturnType<typeof encoderInput>) {
  const { g, config } = context;
  const positions = consecutivePositions(g, input);
  const globalTheta = config.number("global_rope_theta", { min: Number.MIN_VALUE, default: 160_000 });
  const full = {
    angles: rotaryAngles(context, positions, headDim, {
      layerType: "full_attention",
      defaultTheta: globalTheta,
    }),
    mask: attentionMaskOf(g, input),
  };
  const localTheta = config.isNull("local_rope_theta") ? globalTheta : 10_000;
  const sliding = {
    angles: rotaryAngles(context, positions, headDim, {
      layerType: "sliding_attention",
      defaultTheta: config.number("local_rope_theta", { min: Number.MIN_VALUE, default: localTheta }),
    }),
    mask: attentionMaskOf(g, input, Math.floor(config.integer("local_attention", { default: 128 }) / 2)),
  };
  const every = config.integer("global_attn_every_n_layers", { default: 3 });
  const typeOf = layerTypes(config, (layer) => layer % every !== 0);
  return (layer: number) => (typeOf(layer) === "full_attention" ? full : sliding);
}
