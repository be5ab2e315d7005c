import type { ConfigReader } from "../../checkpoint/index.js";
import type { Architecture } from "../architecture.js";
import { attentionMaskOf, consecutivePositions } from "../blocks/encoder-input.js";
import { bertAttention, bertHead, bertIgnored, buildBert } from "./bert.js";

/**
 * BERT with block-sparse attention. transformers uses full attention for rows up to a certain length; the context ends
 * there. https://arxiv.org/abs/2007.14062
 */
export const bigBird: Architecture = {
  build(context) {
    const { g, config } = context;
    const isRescaled = config.boolean("rescale_embeddings", { default: false });
    const bias = config.boolean("use_bias", { default: true });
    buildBert(context, {
      model: "bert",
      head: bertHead(context, defaultActivation),
      positions: (input) => consecutivePositions(g, input),
      defaultActivation,
      ...(isRescaled && { tokenScale: Math.sqrt(config.integer("hidden_size")) }),
      attention(input, shape) {
        const biases = [attentionMaskOf(g, input)];
        return (x, prefix) => bertAttention(context, x, prefix, { shape, biases, bias, outputBias: true });
      },
    });
  },
  maxContext(config) {
    const positions = config.integer("max_position_embeddings");
    return attentionType(config) === "original_full"
      ? positions
      : Math.min(positions, longestFullRow(config));
  },
  ignoredTensors: bertIgnored,
};

const defaultActivation = "gelu_new";

function attentionType(config: ConfigReader): string {
  return config.oneOf("attention_type", ["block_sparse", "original_full"], { default: "block_sparse" });
}

/**
 * The longest row, in tokens, for which transformers uses full attention: two global blocks, a window of three, and
 * twice the random blocks.
 */
function longestFullRow(config: ConfigReader): number {
  const randomBlocks = config.integer("num_random_blocks", { min: 0, default: 3 });
  return (5 + 2 * randomBlocks) * config.integer("block_size", { default: 64 });
}
