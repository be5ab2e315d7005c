import type { Architecture } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { linear } from "../blocks/projections.js";
import { fusedProjection, splitGroups } from "../blocks/query-key-value.js";
import { buildGpt2, configuredScale } from "./gpt2.js";

/** https://arxiv.org/abs/2301.03988: GPT-2 with multi-query attention and matrices stored `[out, in]`. */
export const gptBigcode: Architecture = {
  build(context) {
    const { config } = context;
    const multiHead = multiHeadShape(config);
    const oneKeyHead = config.boolean("multi_query", { default: true });
    const shape = oneKeyHead ? { ...multiHead, keyValueHeads: 1 } : multiHead;
    buildGpt2(context, {
      shape,
      project: linear,
      attention: {
        heads: fusedProjection(context, shape, { name: "c_attn", split: splitGroups }),
        scale: configuredScale(context, shape),
      },
      inner: config.optionalInteger("n_inner") ?? 4 * shape.width,
      activation: config.string("activation_function", { default: "gelu_pytorch_tanh" }),
    });
  },
  // Older checkpoints store the causal mask as a buffer.
  ignoredTensors: [/\.attn\.(masked_)?bias$/],
};
