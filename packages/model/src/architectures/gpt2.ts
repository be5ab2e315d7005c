import type { Architecture } from "./architecture.js";
import { attention, multiHeadShape } from "./blocks/attention.js";
import { CausalCaches } from "./blocks/causal-cache.js";
import { causalStep } from "./blocks/causal-step.js";
import { embedding } from "./blocks/embedding.js";
import { feedForward } from "./blocks/feed-forward.js";
import { languageHead, selectRows } from "./blocks/language-head.js";
import { layerNorm } from "./blocks/norms.js";
import { conv1d } from "./blocks/projections.js";
import { fusedLanes, splitParts } from "./blocks/query-key-value.js";

/**
 * Learned positions, fused `[q | k | v]` projections stored `[in, out]`, LayerNorm before each sublayer.
 * https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf
 */
export const gpt2: Architecture = {
  build(context) {
    const { g, config } = context;
    if (config.boolean("add_cross_attention", { default: false })) {
      throw config.error('"add_cross_attention" is set, which only an encoder–decoder has; expected false');
    }
    const shape = multiHeadShape(config);
    const { width, headDim } = shape;
    const epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-5 });
    const inner = config.optionalInteger("n_inner") ?? 4 * width;
    const activation = config.string("activation_function", { default: "gelu_new" });
    const scale = config.boolean("scale_attn_weights", { default: true }) ? 1 / Math.sqrt(headDim) : 1;
    const scaleByLayer = config.boolean("scale_attn_by_inverse_layer_idx", { default: false });

    const step = causalStep(g);
    const cache = new CausalCaches(g, step).get();
    const table = { name: "transformer.wte.weight", rows: config.integer("vocab_size"), width };
    const positions = config.integer(["n_positions", "max_position_embeddings"]);

    let x = g.add(
      embedding(context, step.inputIds, table),
      embedding(context, step.positionIds, { name: "transformer.wpe.weight", rows: positions, width }),
    );
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `transformer.h.${layer}`;
      const fused = conv1d(context, layerNorm(context, x, { name: `${prefix}.ln_1`, width, epsilon }), {
        name: `${prefix}.attn.c_attn`,
        inputs: width,
        outputs: fusedLanes(shape),
      });
      const mixed = attention(g, {
        ...splitParts(g, fused, shape),
        layer,
        cache,
        shape,
        scale: scaleByLayer ? scale / (layer + 1) : scale,
      });
      x = g.add(x, conv1d(context, mixed, { name: `${prefix}.attn.c_proj`, inputs: width, outputs: width }));
      const fed = feedForward(context, layerNorm(context, x, { name: `${prefix}.ln_2`, width, epsilon }), {
        project: conv1d,
        up: `${prefix}.mlp.c_fc`,
        down: `${prefix}.mlp.c_proj`,
        width,
        inner,
        activation,
      });
      x = g.add(x, fed);
    }
    const rows = layerNorm(context, selectRows(g, x, step, width), {
      name: "transformer.ln_f",
      width,
      epsilon,
    });
    languageHead(context, rows, { table, separate: "lm_head.weight", tiedByDefault: true });
  },
  // The causal mask was once kept as a buffer.
  ignoredTensors: [/(^|\.)h\.\d+\.attn\.(masked_)?bias$/],
};
