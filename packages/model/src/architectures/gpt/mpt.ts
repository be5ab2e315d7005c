import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { alibi } from "../blocks/alibi.js";
import { attention, multiHeadShape } from "../blocks/attention.js";
import { CausalCaches } from "../blocks/causal-cache.js";
import { causalStep } from "../blocks/causal-step.js";
import { embedding } from "../blocks/embedding.js";
import { feedForward } from "../blocks/feed-forward.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { fusedLanes, splitParts } from "../blocks/query-key-value.js";

/** ALiBi, one matrix for queries, keys and values, no bias anywhere. https://www.databricks.com/blog/mpt-7b */
export const mpt: Architecture = {
  build(context) {
    const { g, config } = context;
    refuseVariants(context);
    const shape = multiHeadShape(config);
    const { width, heads } = shape;
    const epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-5 });
    const norm = (x: Value, name: string): Value =>
      layerNorm(context, x, { name: `transformer.${name}`, width, epsilon, bias: false });
    const attentionConfig = config.optionalObject("attn_config");
    const scale = attentionConfig?.optionalNumber("softmax_scale");
    const lastSlope = attentionConfig?.number("alibi_bias_max", { min: 0, default: 8 });

    const step = causalStep(g);
    const cache = new CausalCaches(g, step).get();
    const bias = alibi(g, cache, heads, lastSlope);
    const table = { name: "transformer.wte.weight", rows: config.integer("vocab_size"), width };

    let x = embedding(context, step.inputIds, table);
    for (let layer = 0; layer < shape.layers; layer++) {
      const block = `blocks.${layer}`;
      const prefix = `transformer.${block}`;
      const fused = linear(context, norm(x, `${block}.norm_1`), {
        name: `${prefix}.attn.Wqkv`,
        inputs: width,
        outputs: fusedLanes(shape),
        bias: false,
      });
      const mixed = attention(g, {
        ...splitParts(g, fused, shape),
        layer,
        cache,
        shape,
        scale,
        biases: [bias],
      });
      x = g.add(
        x,
        linear(context, mixed, {
          name: `${prefix}.attn.out_proj`,
          inputs: width,
          outputs: width,
          bias: false,
        }),
      );
      const fed = feedForward(context, norm(x, `${block}.norm_2`), {
        project: linear,
        up: `${prefix}.ffn.up_proj`,
        down: `${prefix}.ffn.down_proj`,
        width,
        // transformers does not look at expansion_ratio.
        inner: 4 * width,
        bias: false,
        activation: "gelu",
      });
      x = g.add(x, fed);
    }
    languageHead(context, norm(selectRows(g, x, step, width), "norm_f"), {
      table,
      separate: "lm_head.weight",
      tiedByDefault: true,
    });
  },
};

/** MosaicML's own code has variants that the transformers model, and this graph, lack. */
function refuseVariants({ config }: ModelContext): void {
  const attentionConfig = config.optionalObject("attn_config");
  const asked = [
    ["no_bias: false", !config.boolean("no_bias", { default: true })],
    ["logit_scale", config.has("logit_scale")],
    ["attn_config.alibi: false", attentionConfig?.boolean("alibi", { default: true }) === false],
    ["attn_config.clip_qkv", attentionConfig?.has("clip_qkv")],
    ["attn_config.qk_ln", attentionConfig?.boolean("qk_ln", { default: false })],
    ["attn_config.prefix_lm", attentionConfig?.boolean("prefix_lm", { default: false })],
    [
      "attn_config.attn_uses_sequence_id",
      attentionConfig?.boolean("attn_uses_sequence_id", { default: false }),
    ],
    [
      "attn_config.attn_type",
      attentionConfig?.string("attn_type", { default: "multihead_attention" }) !== "multihead_attention" &&
        attentionConfig !== undefined,
    ],
  ].flatMap(([name, isAsked]) => (isAsked === true ? [name] : []));
  if (asked.length > 0) throw config.error(`not supported for mpt: ${asked.join(", ")}`);
}
