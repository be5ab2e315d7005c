import type { Architecture } from "../architecture.js";
import { attention, multiHeadShape } from "../blocks/attention.js";
import { CausalCaches } from "../blocks/causal-cache.js";
import { causalStep } from "../blocks/causal-step.js";
import { embedding } from "../blocks/embedding.js";
import { feedForward } from "../blocks/feed-forward.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { fusedLanes, splitGroups } from "../blocks/query-key-value.js";
import { partialRotaryLanes, rotaryAngles } from "../blocks/rotary.js";

/**
 * A projection fused per head, rotary positions on a quarter of the lanes, and attention and feed-forward side
 * by side, each behind a norm of its own, unless `use_parallel_residual` is off.
 * https://arxiv.org/abs/2204.06745
 */
export const gptNeox: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width, headDim } = shape;
    const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-5 });
    const inner = config.integer("intermediate_size");
    const activation = config.string("hidden_act", { default: "gelu" });
    const attentionBias = config.boolean("attention_bias", { default: true });
    const parallel = config.boolean("use_parallel_residual", { default: true });

    const step = causalStep(g);
    const cache = new CausalCaches(g, step).get();
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      lanes: partialRotaryLanes(config, headDim, 0.25),
    });
    const table = { name: "gpt_neox.embed_in.weight", rows: config.integer("vocab_size"), width };

    let x = embedding(context, step.inputIds, table);
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `gpt_neox.layers.${layer}`;
      const fused = linear(
        context,
        layerNorm(context, x, { name: `${prefix}.input_layernorm`, width, epsilon }),
        {
          name: `${prefix}.attention.query_key_value`,
          inputs: width,
          outputs: fusedLanes(shape),
          bias: attentionBias,
        },
      );
      const mixed = attention(g, { ...splitGroups(g, fused, shape), angles, layer, cache, shape });
      const attended = linear(context, mixed, {
        name: `${prefix}.attention.dense`,
        inputs: width,
        outputs: width,
        bias: attentionBias,
      });
      const both = g.add(x, attended);
      const normed = layerNorm(context, parallel ? x : both, {
        name: `${prefix}.post_attention_layernorm`,
        width,
        epsilon,
      });
      const fed = feedForward(context, normed, {
        project: linear,
        up: `${prefix}.mlp.dense_h_to_4h`,
        down: `${prefix}.mlp.dense_4h_to_h`,
        width,
        inner,
        activation,
      });
      x = g.add(both, fed);
    }
    const rows = layerNorm(context, selectRows(g, x, step, width), {
      name: "gpt_neox.final_layer_norm",
      width,
      epsilon,
    });
    languageHead(context, rows, { table, separate: "embed_out.weight", tiedByDefault: false });
  },
  // Once kept as buffers: the causal mask, the value it masks with, and rotary frequencies.
  ignoredTensors: [/\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/],
};
