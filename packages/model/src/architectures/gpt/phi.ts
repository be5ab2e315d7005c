import type { Architecture } from "../architecture.js";
import { attention, groupedShape } from "../blocks/attention.js";
import { CausalCaches } from "../blocks/causal-cache.js";
import { causalStep } from "../blocks/causal-step.js";
import { embedding } from "../blocks/embedding.js";
import { feedForward } from "../blocks/feed-forward.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { projectSeparately } from "../blocks/query-key-value.js";
import { partialRotaryLanes, rotaryAngles } from "../blocks/rotary.js";

/**
 * Attention and feed-forward side by side behind one norm, rotary positions on part of the lanes, biases
 * everywhere. https://arxiv.org/abs/2309.05463
 */
export const phi: Architecture = {
  build(context) {
    const { g, config } = context;
    if (config.boolean("qk_layernorm", { default: false })) {
      throw config.error('"qk_layernorm" is set, which is not supported for phi; expected false');
    }
    const shape = groupedShape(config);
    const { width, heads, headDim } = shape;
    const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-5 });
    const inner = config.integer("intermediate_size");
    const activation = config.string("hidden_act", { default: "gelu_new" });

    const step = causalStep(g);
    const cache = new CausalCaches(g, step).get();
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      lanes: partialRotaryLanes(config, headDim, 0.5),
    });
    const table = { name: "model.embed_tokens.weight", rows: config.integer("vocab_size"), width };

    let x = embedding(context, step.inputIds, table);
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `model.layers.${layer}`;
      const normed = layerNorm(context, x, { name: `${prefix}.input_layernorm`, width, epsilon });
      const mixed = attention(g, {
        ...projectSeparately(context, normed, { prefix: `${prefix}.self_attn`, shape, bias: true }),
        angles,
        layer,
        cache,
        shape,
      });
      const attended = linear(context, mixed, {
        name: `${prefix}.self_attn.dense`,
        inputs: heads * headDim,
        outputs: width,
      });
      const fed = feedForward(context, normed, {
        project: linear,
        up: `${prefix}.mlp.fc1`,
        down: `${prefix}.mlp.fc2`,
        width,
        inner,
        activation,
      });
      x = g.add(x, g.add(attended, fed));
    }
    const rows = layerNorm(context, selectRows(g, x, step, width), {
      name: "model.final_layernorm",
      width,
      epsilon,
    });
    languageHead(context, rows, {
      table,
      separate: "lm_head.weight",
      bias: "lm_head.bias",
      tiedByDefault: false,
    });
  },
  ignoredTensors: [/\.rotary_emb\.inv_freq$/],
};
