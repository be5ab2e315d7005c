import type { GraphBuilder, Value } from "../../graph/index.js";
import type { Architecture } from "../architecture.js";
import type { AttentionShape } from "../blocks/attention.js";
import { fusedProjection, type QueryKeyValue } from "../blocks/query-key-value.js";
import { buildGptj } from "./gptj.js";

/** https://arxiv.org/abs/2203.13474: GPT-J with a fused projection, in the layout of training on four devices. */
export const codegen: Architecture = {
  build(context) {
    buildGptj(context, (shape) => {
      if (shape.heads % blocks !== 0) {
        throw context.config.error(
          `expected the number of heads to be a multiple of ${blocks}, got ${shape.heads}`,
        );
      }
      return fusedProjection(context, shape, { name: "qkv_proj", bias: false, split: splitBlocks });
    });
  },
  // Older checkpoints store the causal mask as a buffer.
  ignoredTensors: [/\.attn\.causal_mask$/],
};

const blocks = 4;

/** Lanes `[block, (query | value | key), head of the block, lane]`. */
function splitBlocks(g: GraphBuilder, fused: Value, { heads, headDim }: AttentionShape): QueryKeyValue {
  const cut = g.reshape(fused, [0, 0, blocks, 3, heads / blocks, headDim]);
  const [query, value, key] = g
    .split(g.transpose(cut, [0, 3, 2, 4, 1, 5]), [1, 1, 1], 1)
    .map((part) => g.reshape(part, [0, heads, -1, headDim]));
  return { query: query!, key: key!, value: value! };
}
