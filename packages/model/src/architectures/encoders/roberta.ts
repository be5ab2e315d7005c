import type { ConfigReader } from "../../checkpoint/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { type EncoderInput, positionsAfterPadding } from "../blocks/encoder-input.js";
import { type BertDifferences, type BertHead, bertIgnored, buildBert } from "./bert.js";

/**
 * BERT with positions that start after the padding token's id; also XLM-RoBERTa and CamemBERT.
 * https://arxiv.org/abs/1907.11692
 */
export const roberta = robertaCalled("roberta");

/** RoBERTa, trained to predict its own hidden states. https://arxiv.org/abs/2202.03555 */
export const data2vecText = robertaCalled("data2vec_text");

/** Pre-norm RoBERTa. https://arxiv.org/abs/2202.08005 */
export const robertaPreLayerNorm = robertaCalled("roberta_prelayernorm", {
  normsBefore: {
    attention: "attention.LayerNorm",
    feedForward: "intermediate.LayerNorm",
    last: "roberta_prelayernorm.LayerNorm",
  },
});

/** Pre-norm XLM-RoBERTa, without a norm of the embeddings. https://arxiv.org/abs/2105.00572 */
export const xlmRobertaXl = robertaCalled("roberta", {
  embeddingNorm: "none",
  normsBefore: {
    attention: "attention.self_attn_layer_norm",
    feedForward: "LayerNorm",
    last: "roberta.encoder.LayerNorm",
  },
  defaultEpsilon: 1e-5,
  defaultTokenTypes: 1,
});

/** @param model prefix of tensor names */
function robertaCalled(model: string, differences: Partial<BertDifferences> = {}): Architecture {
  return {
    build: (context) =>
      buildBert(context, {
        model,
        head: robertaHead,
        positions: robertaPositions(context),
        ...differences,
      }),
    maxContext: positionsBehindPadding,
    ignoredTensors: bertIgnored,
  };
}

export const robertaHead: BertHead = {
  dense: "lm_head.dense",
  norm: "lm_head.layer_norm",
  activation: "gelu",
  separate: "lm_head.decoder.weight",
  bias: "lm_head.bias",
  biasAlias: "lm_head.decoder.bias",
};

/** The number of positions for tokens. Rows of the table up to the padding token's id are not among them. */
export function positionsBehindPadding(config: ConfigReader): number {
  return config.integer("max_position_embeddings") - paddingId(config) - 1;
}

function paddingId(config: ConfigReader): number {
  return config.integer("pad_token_id", { min: 0, default: 1 });
}

/** Positions in a table in which padding has its token's id as its position. */
export function robertaPositions({ g, config }: ModelContext) {
  const padding = paddingId(config);
  return (input: EncoderInput) =>
    positionsAfterPadding(g, input.inputIds, { paddingToken: padding, padding });
}
