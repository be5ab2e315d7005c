import type { ConfigReader } from "../../checkpoint/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { type EncoderInput, positionsAfterPadding } from "../blocks/encoder-input.js";
import { type BertHead, buildBert } from "./bert.js";

/**
 * BERT with positions that start behind the padding token's id; XLM-RoBERTa and CamemBERT too.
 * https://arxiv.org/abs/1907.11692
 */
export const roberta = robertaCalled("roberta");

/** RoBERTa trained on its own hidden states. https://arxiv.org/abs/2202.03555 */
export const data2vecText = robertaCalled("data2vec_text");

/** @param model first part of tensor names */
function robertaCalled(model: string): Architecture {
  return {
    build: (context) =>
      buildBert(context, { model, head: robertaHead, positions: robertaPositions(context) }),
    maxContext: positionsBehindPadding,
    ignoredTensors: [/(^|\.)pooler\.dense\./, /(^|\.)embeddings\.position_ids$/],
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

/** Rows of the position table up to the padding token's id stand for no token's position. */
export function positionsBehindPadding(config: ConfigReader): number {
  return config.integer("max_position_embeddings") - paddingId(config) - 1;
}

function paddingId(config: ConfigReader): number {
  return config.integer("pad_token_id", { min: 0, default: 1 });
}

/** Padding sits at the position that is its token's id. */
export function robertaPositions({ g, config }: ModelContext) {
  const padding = paddingId(config);
  return (input: EncoderInput) =>
    positionsAfterPadding(g, input.inputIds, { paddingToken: padding, padding });
}
