import type { Architecture } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { encoderSelfAttention } from "../blocks/encoder-attention.js";
import { encoderEmbedding } from "../blocks/encoder-embedding.js";
import { attentionMaskOf, consecutivePositions, encoderInput } from "../blocks/encoder-input.js";
import { encoderLayer } from "../blocks/encoder-layer.js";
import { maskedHead } from "../blocks/masked-head.js";

/** BERT without token types, with other module names. https://arxiv.org/abs/1910.01108 */
export const distilbert: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width } = shape;
    const epsilon = 1e-12;
    const inner = config.integer("hidden_dim", { default: 4 * width });
    const activation = config.string("activation", { default: "gelu" });
    const embeddings = "distilbert.embeddings";

    const input = encoderInput(g);
    const biases = [attentionMaskOf(g, input)];
    const table = { name: `${embeddings}.word_embeddings.weight`, rows: config.integer("vocab_size"), width };
    const positionTable = {
      name: `${embeddings}.position_embeddings.weight`,
      rows: config.integer("max_position_embeddings", { default: 512 }),
      width,
    };
    let x = encoderEmbedding(context, input, {
      table,
      positions: { table: positionTable, ids: consecutivePositions(g, input) },
      norm: { name: `${embeddings}.LayerNorm`, epsilon },
    });
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `distilbert.transformer.layer.${layer}`;
      const modules = {
        query: `${prefix}.attention.q_lin`,
        key: `${prefix}.attention.k_lin`,
        value: `${prefix}.attention.v_lin`,
        output: `${prefix}.attention.out_lin`,
        attentionNorm: `${prefix}.sa_layer_norm`,
        up: `${prefix}.ffn.lin1`,
        down: `${prefix}.ffn.lin2`,
        feedForwardNorm: `${prefix}.output_layer_norm`,
      };
      x = encoderLayer(context, x, {
        modules,
        width,
        inner,
        activation,
        epsilon,
        attention: (x) => encoderSelfAttention(context, x, { modules, shape, biases }),
      });
    }
    maskedHead(context, x, {
      table,
      width,
      transform: { dense: "vocab_transform", activation, norm: { name: "vocab_layer_norm", epsilon } },
      separate: "vocab_projector.weight",
      bias: "vocab_projector.bias",
    });
  },
  ignoredTensors: [/(^|\.)embeddings\.position_ids$/],
};
