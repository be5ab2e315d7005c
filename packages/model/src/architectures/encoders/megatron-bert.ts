import type { Architecture } from "../architecture.js";
import { consecutivePositions } from "../blocks/encoder-input.js";
import { bertHead, bertIgnored, buildBert } from "./bert.js";

/** Pre-norm BERT, without a norm of the embeddings. https://arxiv.org/abs/1909.08053 */
export const megatronBert: Architecture = {
  build: (context) =>
    buildBert(context, {
      model: "bert",
      head: bertHead(context),
      positions: (input) => consecutivePositions(context.g, input),
      embeddingNorm: "none",
      normsBefore: { attention: "attention.ln", feedForward: "ln", last: "bert.encoder.ln" },
    }),
  ignoredTensors: bertIgnored,
};
