import type { Value } from "../../graph/index.js";
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
 * A projection fused per head, queries and keys normed, rotary positions on half of the lanes, squared ReLU.
 * https://www.adept.ai/blog/persimmon-8b
 */
export const persimmon: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width, headDim } = shape;
    const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-5 });
    const inner = config.integer("intermediate_size");
    const activation = config.string("hidden_act", { default: "relu2" });
    const norm = (x: Value, name: string, size = width): Value =>
      layerNorm(context, x, { name: `model.${name}`, width: size, epsilon });
    const normsHeads = config.boolean("qk_layernorm", { default: true });

    const step = causalStep(g);
    const cache = new CausalCaches(g, step).get();
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      lanes: partialRotaryLanes(config, headDim, 0.5),
    });
    const table = { name: "model.embed_tokens.weight", rows: config.integer("vocab_size"), width };

    let x = embedding(context, step.inputIds, table);
    for (let layer = 0; layer < shape.layers; layer++) {
      const module = `layers.${layer}`;
      const fused = linear(context, norm(x, `${module}.input_layernorm`), {
        name: `model.${module}.self_attn.query_key_value`,
        inputs: width,
        outputs: fusedLanes(shape),
      });
      const { query, key, value } = splitGroups(g, fused, shape);
      const normHead = (head: Value, name: string): Value =>
        normsHeads ? norm(head, `${module}.self_attn.${name}`, headDim) : head;
      const mixed = attention(g, {
        query: normHead(query, "q_layernorm"),
        key: normHead(key, "k_layernorm"),
        value,
        angles,
        layer,
        cache,
        shape,
      });
      x = g.add(
        x,
        linear(context, mixed, {
          name: `model.${module}.self_attn.dense`,
          inputs: width,
          outputs: width,
        }),
      );
      const fed = feedForward(context, norm(x, `${module}.post_attention_layernorm`), {
        project: linear,
        up: `model.${module}.mlp.dense_h_to_4h`,
        down: `model.${module}.mlp.dense_4h_to_h`,
        width,
        inner,
        activation,
      });
      x = g.add(x, fed);
    }
    languageHead(context, norm(selectRows(g, x, step, width), "final_layernorm"), {
      table,
      separate: "lm_head.weight",
      tiedByDefault: false,
    });
  },
  ignoredTensors: [/\.rotary_emb\.inv_freq$/],
};
