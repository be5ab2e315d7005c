import type { Architecture } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { encoderSelfAttention } from "../blocks/encoder-attention.js";
import { encoderEmbedding } from "../blocks/encoder-embedding.js";
import {
  attentionMaskOf,
  distancesOf,
  encoderInput,
  positionsAfterPadding,
} from "../blocks/encoder-input.js";
import { encoderLayer } from "../blocks/encoder-layer.js";
import { relativeBias, relativeBuckets } from "../blocks/relative-buckets.js";
import { bertIgnored, bertMaskedHead } from "./bert.js";
import { robertaHead } from "./roberta.js";

/** The padding token's id, and the position of padding. All configs have this one. */
const padding = 1;

/** Absolute positions as in RoBERTa, and relative ones as in T5. https://arxiv.org/abs/2004.09297 */
export const mpnet: Architecture = {
  maxContext: (config) => config.integer("max_position_embeddings") - padding - 1,
  build(context) {
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width, heads } = shape;
    const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-12 });
    const inner = config.integer("intermediate_size");
    const activation = config.string("hidden_act", { default: "gelu" });
    const buckets = config.integer("relative_attention_num_buckets", { min: 4, max: 2 ** 16, default: 32 });
    const embeddings = "mpnet.embeddings";

    const input = encoderInput(g);
    const bucketsOfDistances = relativeBuckets(context, g.unsqueeze(distancesOf(g, input), [0]), {
      buckets,
      maxDistance: 128,
      bidirectional: true,
    });
    const relative = relativeBias(context, bucketsOfDistances, {
      name: "mpnet.encoder.relative_attention_bias.weight",
      rows: buckets,
      width: heads,
    });
    const biases = [relative, attentionMaskOf(g, input)];
    const table = { name: `${embeddings}.word_embeddings.weight`, rows: config.integer("vocab_size"), width };
    const positionTable = {
      name: `${embeddings}.position_embeddings.weight`,
      rows: config.integer("max_position_embeddings"),
      width,
    };
    let x = encoderEmbedding(context, input, {
      table,
      positions: {
        table: positionTable,
        ids: positionsAfterPadding(g, input.inputIds, { paddingToken: padding, padding }),
      },
      norm: { name: `${embeddings}.LayerNorm`, epsilon },
    });
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `mpnet.encoder.layer.${layer}`;
      const modules = {
        query: `${prefix}.attention.attn.q`,
        key: `${prefix}.attention.attn.k`,
        value: `${prefix}.attention.attn.v`,
        output: `${prefix}.attention.attn.o`,
        attentionNorm: `${prefix}.attention.LayerNorm`,
        up: `${prefix}.intermediate.dense`,
        down: `${prefix}.output.dense`,
        feedForwardNorm: `${prefix}.output.LayerNorm`,
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
    bertMaskedHead(context, x, { table, width, head: robertaHead, epsilon });
  },
  ignoredTensors: bertIgnored,
};
