import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import type { AttentionShape } from "../blocks/attention.js";
import { linear } from "../blocks/projections.js";
import { fusedLanes, type QueryKeyValue } from "../blocks/query-key-value.js";
import { buildGptj } from "./gptj.js";

/** https://arxiv.org/abs/2203.13474: GPT-J with a projection fused the way it was once spread over four devices. */
export const codegen: Architecture = {
  build(context) {
    buildGptj(context, (x, prefix, shape) => projectFused(context, x, `${prefix}.qkv_proj`, shape));
  },
  ignoredTensors: [/\.attn\.(causal_mask|bias|masked_bias)$/],
};

const blocks = 4;

/** From lanes `[block, (query | value | key), head of the block, lane]`. Weights stay as stored. */
function projectFused(context: ModelContext, x: Value, name: string, shape: AttentionShape): QueryKeyValue {
  const { g, config } = context;
  const { width, heads, headDim } = shape;
  if (heads % blocks !== 0) {
    throw config.error(`expected a number of heads that ${blocks} divides, got ${heads}`);
  }
  const fused = linear(context, x, { name, inputs: width, outputs: fusedLanes(shape), bias: false });
  const cut = g.reshape(fused, [0, 0, blocks, 3, heads / blocks, headDim]);
  const [query, value, key] = g
    .split(g.transpose(cut, [0, 3, 2, 4, 1, 5]), [1, 1, 1], 1)
    .map((part) => g.reshape(part, [0, heads, -1, headDim]));
  return { query: query!, key: key!, value: value! };
}
