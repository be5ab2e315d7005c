import type { Architecture, ModelContext } from "../architecture.js";
import { alibi } from "../blocks/alibi.js";
import { multiHeadShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { clippedHeads } from "../blocks/clipped-heads.js";
import { buildDecoder } from "../blocks/decoder.js";
import { feedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { fusedProjection, splitParts } from "../blocks/query-key-value.js";
import { selfAttention } from "../blocks/self-attention.js";

/** ALiBi, a fused projection, no biases. https://www.databricks.com/blog/mpt-7b */
export const mpt: Architecture = {
  build(context) {
    const { g, config } = context;
    refuseVariants(context);
    const shape = multiHeadShape(config);
    const { width, heads, headDim } = shape;
    const epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-5 });
    const attention = config.optionalObject("attn_config");
    const lastSlope = attention?.number("alibi_bias_max", { min: 0, default: 8 });
    const step = causalStep(g);
    buildDecoder(context, {
      step,
      shape,
      modules: {
        embedding: "transformer.wte",
        layers: "transformer.blocks",
        lastNorm: "transformer.norm_f",
        head: "lm_head",
      },
      norm: layerNorms(context, { width, epsilon, bias: false }),
      norms: { attention: { before: "norm_1" }, feedForward: { before: "norm_2" } },
      attention: selfAttention(context, {
        step,
        shape,
        module: "attn",
        heads: fusedProjection(context, shape, { name: "Wqkv", bias: false, split: splitParts }),
        adjust: clippedHeads(g, attention),
        output: "out_proj",
        angles: () => undefined,
        scale: attention?.optionalNumber("softmax_scale") ?? 1 / Math.sqrt(headDim),
        scoreBias: (cache) => alibi(g, cache, heads, lastSlope),
      }),
      feedForward: feedForwards(context, {
        up: "ffn.up_proj",
        down: "ffn.down_proj",
        width,
        // transformers ignores expansion_ratio.
        inner: 4 * width,
        bias: false,
        activation: "gelu",
      }),
      tiedByDefault: true,
    });
  },
};

/** Refuses variants in MosaicML's own code that transformers does not have, and neither does this graph. */
function refuseVariants({ config }: ModelContext): void {
  const attention = config.optionalObject("attn_config");
  const attentionType = attention?.string("attn_type", { default: "multihead_attention" });
  const asked = [
    ["no_bias: false", !config.boolean("no_bias", { default: true })],
    ["logit_scale", config.has("logit_scale")],
    ["attn_config.attn_type", (attentionType ?? "multihead_attention") !== "multihead_attention"],
    ["attn_config.alibi: false", attention?.boolean("alibi", { default: true }) === false],
    ["attn_config.qk_ln", attention?.boolean("qk_ln", { default: false })],
    ["attn_config.prefix_lm", attention?.boolean("prefix_lm", { default: false })],
    ["attn_config.attn_uses_sequence_id", attention?.boolean("attn_uses_sequence_id", { default: false })],
  ].flatMap(([name, isAsked]) => (isAsked === true ? [name] : []));
  if (asked.length > 0) throw config.error(`not supported for mpt: ${asked.join(", ")}`);
}
