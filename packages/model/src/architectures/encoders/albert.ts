import { configLimits } from "../../checkpoint/index.js";
import type { Architecture } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { type AttentionModules, encoderSelfAttention } from "../blocks/encoder-attention.js";
import { encoderEmbedding } from "../blocks/encoder-embedding.js";
import { attentionMaskOf, consecutivePositions, encoderInput } from "../blocks/encoder-input.js";
import { type EncoderLayerModules, encoderLayer } from "../blocks/encoder-layer.js";
import { maskedHead } from "../blocks/masked-head.js";
import { linear } from "../blocks/projections.js";

/** BERT whose layers share their parameters, with a factorized embedding. https://arxiv.org/abs/1909.11942 */
export const albert: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width, layers } = shape;
    const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-12 });
    const inner = config.integer("intermediate_size");
    const activation = config.string("hidden_act", { default: "gelu_new" });
    const groups = config.integer("num_hidden_groups", { max: layers, default: 1 });
    const layersOfGroup = config.integer("inner_group_num", { max: configLimits.layers, default: 1 });
    const embeddingWidth = config.integer("embedding_size", { default: 128 });
    const embeddings = "albert.embeddings";
    const tableOf = (name: string, rows: number) => ({
      name: `${embeddings}.${name}.weight`,
      rows,
      width: embeddingWidth,
    });

    const input = encoderInput(g);
    const biases = [attentionMaskOf(g, input)];
    const table = tableOf("word_embeddings", config.integer("vocab_size"));
    let x = encoderEmbedding(context, input, {
      table,
      positions: {
        table: tableOf("position_embeddings", config.integer("max_position_embeddings")),
        ids: consecutivePositions(g, input),
      },
      kinds: [tableOf("token_type_embeddings", config.integer("type_vocab_size", { default: 2 }))],
      norm: { name: `${embeddings}.LayerNorm`, epsilon },
    });
    x = linear(context, x, {
      name: "albert.encoder.embedding_hidden_mapping_in",
      inputs: embeddingWidth,
      outputs: width,
    });
    for (let layer = 0; layer < layers; layer++) {
      const group = Math.floor((layer * groups) / layers);
      for (let inGroup = 0; inGroup < layersOfGroup; inGroup++) {
        const modules = modulesOf(`albert.encoder.albert_layer_groups.${group}.albert_layers.${inGroup}`);
        x = encoderLayer(context, x, {
          modules,
          width,
          inner,
          activation,
          epsilon,
          attention: (x) => encoderSelfAttention(context, x, { modules, shape, biases }),
        });
      }
    }
    maskedHead(context, x, {
      table,
      width,
      transform: { dense: "predictions.dense", activation, norm: { name: "predictions.LayerNorm", epsilon } },
      separate: "predictions.decoder.weight",
      bias: "predictions.bias",
      biasAlias: "predictions.decoder.bias",
    });
  },
  // The pooler, and the head for sentence order prediction.
  ignoredTensors: [/(^|\.)pooler\./, /^sop_classifier\./, /(^|\.)embeddings\.position_ids$/],
};

function modulesOf(layer: string): AttentionModules & EncoderLayerModules {
  return {
    query: `${layer}.attention.query`,
    key: `${layer}.attention.key`,
    value: `${layer}.attention.value`,
    output: `${layer}.attention.dense`,
    attentionNorm: `${layer}.attention.LayerNorm`,
    up: `${layer}.ffn`,
    down: `${layer}.ffn_output`,
    feedForwardNorm: `${layer}.full_layer_layer_norm`,
  };
}
