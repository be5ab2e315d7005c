import type { Value } from "../../graph/index.js";
import type { Architecture } from "../architecture.js";
import { alibi } from "../blocks/alibi.js";
import { attention, multiHeadShape } from "../blocks/attention.js";
import { CausalCaches } from "../blocks/causal-cache.js";
import { causalStep } from "../blocks/causal-step.js";
import { embedding } from "../blocks/embedding.js";
import { feedForward } from "../blocks/feed-forward.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { fusedLanes, splitGroups } from "../blocks/query-key-value.js";

/**
 * ALiBi, a projection fused per head `[head, (q, k, v), lane]`, a norm after the embedding.
 * https://arxiv.org/abs/2211.05100
 */
export const bloom: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width, heads } = shape;
    const epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-5 });
    const residualAfterNorm = config.boolean("apply_residual_connection_post_layernorm", { default: false });
    const norm = (x: Value, name: string) => layerNorm(context, x, { name, width, epsilon });

    const step = causalStep(g);
    const cache = new CausalCaches(g, step).get();
    const bias = alibi(g, cache, heads);
    const table = {
      name: "transformer.word_embeddings.weight",
      rows: config.integer("vocab_size"),
      width,
    };

    let x = norm(embedding(context, step.inputIds, table), "transformer.word_embeddings_layernorm");
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `transformer.h.${layer}`;
      const attentionInput = norm(x, `${prefix}.input_layernorm`);
      const fused = linear(context, attentionInput, {
        name: `${prefix}.self_attention.query_key_value`,
        inputs: width,
        outputs: fusedLanes(shape),
      });
      const mixed = attention(g, { ...splitGroups(g, fused, shape), layer, cache, shape, biases: [bias] });
      const attended = linear(context, mixed, {
        name: `${prefix}.self_attention.dense`,
        inputs: width,
        outputs: width,
      });
      x = g.add(residualAfterNorm ? attentionInput : x, attended);

      const feedForwardInput = norm(x, `${prefix}.post_attention_layernorm`);
      const fed = feedForward(context, feedForwardInput, {
        project: linear,
        up: `${prefix}.mlp.dense_h_to_4h`,
        down: `${prefix}.mlp.dense_4h_to_h`,
        width,
        inner: 4 * width,
        activation: "gelu_new",
      });
      x = g.add(residualAfterNorm ? feedForwardInput : x, fed);
    }
    const rows = norm(selectRows(g, x, step, width), "transformer.ln_f");
    languageHead(context, rows, { table, separate: "lm_head.weight", tiedByDefault: true });
  },
};
