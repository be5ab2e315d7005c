import type { Architecture, ModelContext } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { encoderSelfAttention } from "../blocks/encoder-attention.js";
import { encoderEmbedding } from "../blocks/encoder-embedding.js";
import { attentionMaskOf, consecutivePositions, encoderInput } from "../blocks/encoder-input.js";
import { encoderLayer } from "../blocks/encoder-layer.js";
import { maskedHead } from "../blocks/masked-head.js";

/** BERT's layers with other module names, and a head without a transform. https://arxiv.org/abs/1901.07291 */
export const xlm = xlmFamily(() => "after");

/**
 * XLM for French, post-norm or pre-norm; if pre-norm, without a norm after the last layer.
 * https://arxiv.org/abs/1912.05372
 */
export const flaubert = xlmFamily(({ config }) =>
  config.boolean("pre_norm", { default: false }) ? "before" : "after",
);

/** @param norms as in an {@link EncoderLayer} */
function xlmFamily(norms: (context: ModelContext) => "before" | "after"): Architecture {
  return {
    build: (context) => buildXlm(context, norms(context)),
    // Language embeddings are only added if a caller names the language of each token.
    ignoredTensors: [/(^|\.)lang_embeddings\.weight$/, /(^|\.)position_ids$/],
  };
}

function buildXlm(context: ModelContext, norms: "before" | "after"): void {
  refuseOthers(context);
  const { g, config } = context;
  const shape = multiHeadShape(config);
  const { width } = shape;
  const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-12 });
  const activation = config.boolean("gelu_activation", { default: true }) ? "gelu" : "relu";

  const input = encoderInput(g);
  const biases = [attentionMaskOf(g, input)];
  const table = {
    name: "transformer.embeddings.weight",
    rows: config.integer(["vocab_size", "n_words"]),
    width,
  };
  const positionTable = {
    name: "transformer.position_embeddings.weight",
    rows: config.integer("max_position_embeddings", { default: 512 }),
    width,
  };
  let x = encoderEmbedding(context, input, {
    table,
    positions: { table: positionTable, ids: consecutivePositions(g, input) },
    norm: { name: "transformer.layer_norm_emb", epsilon },
  });
  for (let layer = 0; layer < shape.layers; layer++) {
    const modules = {
      query: `transformer.attentions.${layer}.q_lin`,
      key: `transformer.attentions.${layer}.k_lin`,
      value: `transformer.attentions.${layer}.v_lin`,
      output: `transformer.attentions.${layer}.out_lin`,
      attentionNorm: `transformer.layer_norm1.${layer}`,
      up: `transformer.ffns.${layer}.lin1`,
      down: `transformer.ffns.${layer}.lin2`,
      feedForwardNorm: `transformer.layer_norm2.${layer}`,
    };
    x = encoderLayer(context, x, {
      modules,
      width,
      inner: 4 * width,
      activation,
      epsilon,
      norms,
      attention: (x) => encoderSelfAttention(context, x, { modules, shape, biases }),
    });
  }
  maskedHead(context, x, {
    table,
    width,
    separate: "pred_layer.proj.weight",
    bias: "pred_layer.proj.bias",
  });
}

function refuseOthers({ config }: ModelContext): void {
  if (config.boolean("asm", { default: false })) {
    throw config.error('"asm" is set, an adaptive softmax, which is not supported; expected false');
  }
  if (config.boolean("causal", { default: false }) || !config.boolean("is_encoder", { default: true })) {
    throw config.error('expected an encoder: "causal" false and "is_encoder" true');
  }
}
